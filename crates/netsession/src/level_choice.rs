//! [`LevelChoice`]: at which information level to ask a server that may lack some of them.

use srvsvc::{NetApiStatus, SessionLevel};

use crate::{Error, ErrorKind, Server, SessionFilter, Sessions};

/// From the level that tells most to the one that tells least.
const FULLEST_FIRST: &[SessionLevel] = &[
    SessionLevel::Info502,
    SessionLevel::Info2,
    SessionLevel::Info1,
    SessionLevel::Info10,
    SessionLevel::Info0,
];

/// At which level to list sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LevelChoice {
    /// At this one; that the server lacks it is an error.
    Exactly(SessionLevel),
    /// At the first of 502, 2, 1, 10 and 0 that the server answers. It is passed over if the
    /// server does not know the level (ERROR_INVALID_LEVEL 124, RPC_S_INVALID_TAG 1733,
    /// ERROR_NOT_SUPPORTED 50) or does not let this user see it (ERROR_ACCESS_DENIED 5):
    /// the descriptor of a Windows server can allow levels 0 and 10 to users to whom it
    /// denies 1, 2 and 502.
    #[default]
    Fullest,
}

impl LevelChoice {
    /// The levels to try, in this order; at least one.
    pub fn levels(&self) -> &[SessionLevel] {
        match self {
            Self::Exactly(level) => std::slice::from_ref(level),
            Self::Fullest => FULLEST_FIRST,
        }
    }
}

impl From<SessionLevel> for LevelChoice {
    fn from(level: SessionLevel) -> Self {
        Self::Exactly(level)
    }
}

/// The server does not have this level: ERROR_INVALID_LEVEL, RPC_S_INVALID_TAG from a stub
/// whose union lacks it, ERROR_NOT_SUPPORTED.
pub(crate) fn lacks_level(status: NetApiStatus) -> bool {
    matches!(
        status,
        NetApiStatus::INVALID_LEVEL | NetApiStatus::RPC_INVALID_TAG | NetApiStatus::NOT_SUPPORTED
    )
}

/// Another level may be answered: the server lacks this one, or does not let this user see
/// it.
pub(crate) fn another_level_may_do(error: &Error) -> bool {
    let status = NetApiStatus(error.net_api_status());
    status == NetApiStatus::ACCESS_DENIED || lacks_level(status)
}

/// Of the errors of two levels the one that tells what to change: who lacks the right gains
/// nothing from another level, and Samba answers 124 at the levels it lacks and 5 at the
/// others.
pub(crate) fn more_telling(first: Option<Error>, second: Error) -> Error {
    match first {
        Some(first)
            if first.kind() == ErrorKind::AccessDenied
                || second.kind() != ErrorKind::AccessDenied =>
        {
            first
        }
        _ => second,
    }
}

impl Server {
    /// The sessions that pass the filter, at the level of `choice` that this server answers;
    /// and which level that is. The first page is there when this returns.
    ///
    /// # Errors
    /// If no level is answered, the error that tells most: ERROR_ACCESS_DENIED if there is
    /// one, else that of the first level. Those of the connection. That no session fits the
    /// names is an error of the stream, as with [`Server::sessions`].
    pub async fn sessions_at(
        &mut self,
        filter: &SessionFilter,
        choice: LevelChoice,
    ) -> Result<(SessionLevel, Sessions<'_>), Error> {
        let mut server = self;
        let mut refusal = None;
        for &level in choice.levels() {
            match Sessions::begin(server, filter, level).await {
                Ok(sessions) => return Ok((level, sessions)),
                Err((returned, error)) if another_level_may_do(&error) => {
                    server = returned;
                    refusal = Some(more_telling(refusal, error));
                }
                Err((_, error)) => return Err(error),
            }
        }
        // `levels` is never empty.
        Err(refusal.unwrap_or_else(|| Error::usage("listing".to_owned(), "no level".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u32) -> Error {
        Error::net_api("listing".to_owned(), status)
    }

    #[test]
    fn the_order_of_the_levels() {
        let numbers = |choice: LevelChoice| {
            choice
                .levels()
                .iter()
                .map(|level| u32::from(*level))
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(LevelChoice::Fullest), [502, 2, 1, 10, 0]);
        assert_eq!(numbers(SessionLevel::Info10.into()), [10]);
    }

    #[test]
    fn which_errors_lead_to_the_next_level() {
        for (status, next) in [
            (5, true),
            (50, true),
            (124, true),
            (1733, true),
            (87, false),
            (2312, false),
            (64, false),
        ] {
            assert_eq!(another_level_may_do(&error(status)), next, "{status}");
        }
    }

    #[test]
    fn a_refused_right_is_what_the_reader_has_to_know() {
        for (statuses, telling) in [
            (&[124, 5, 124][..], 5),
            (&[5, 124], 5),
            (&[124, 124], 124),
            (&[50, 124], 50),
        ] {
            let told = statuses
                .iter()
                .fold(None, |so_far, status| {
                    Some(more_telling(so_far, error(*status)))
                })
                .unwrap();
            assert_eq!(told.net_api_status(), telling, "{statuses:?}");
        }
    }
}
