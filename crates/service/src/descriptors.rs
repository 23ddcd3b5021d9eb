//! Room for connections: the limit of open descriptors.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors for the connections that the server's limits allow and for as many files, with
/// room to spare. Where the system would allow a billion, nobody needs them.
const ENOUGH: u64 = 65_536;

/// Raises this process's limit of open descriptors as far as the system lets it and the
/// server has use for: systems start programs with 1,024, for those that use select(2). For
/// programs that are a server and little else; call it once, before [`crate::Service::start`].
/// What it is then; `None` for no limit.
pub fn raise_descriptor_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current?;
    let wanted = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if before >= wanted {
        return Some(before);
    }
    limit.current = Some(wanted);
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => Some(wanted),
        Err(error) => {
            tracing::warn!(%error, "the limit of descriptors stays at {before}");
            Some(before)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_goes_up_and_not_down() {
        let lower = |current| {
            let mut limit = getrlimit(Resource::Nofile);
            limit.current = Some(current);
            setrlimit(Resource::Nofile, limit).unwrap();
        };
        let maximum = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        lower(maximum.min(600));
        assert_eq!(raise_descriptor_limit(), Some(maximum.min(ENOUGH)));
        let now = getrlimit(Resource::Nofile).current;
        assert_eq!(now, Some(maximum.min(ENOUGH)));
        assert_eq!(raise_descriptor_limit(), now);
    }
}
