//! Who may call which function of srvsvc ([MS-SRVS] 3.1.4 and its notes <52> to <55>).
//!
//! Nothing about the server's state leaks to a refused caller: the dispatch asks here
//! before it looks at a parameter.

use server::account::{
    SID_ADMINISTRATORS, SID_AUTHENTICATED_USERS, SID_SERVER_OPERATORS, SecurityContext,
};

/// A function, with the information level where access depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// NetrConnectionEnum, every level.
    ConnectionEnum,
    /// NetrFileEnum, every level.
    FileEnum,
    /// NetrFileGetInfo, every level.
    FileGetInfo,
    /// NetrFileClose.
    FileClose,
    /// NetrSessionEnum, every level.
    SessionEnum,
    /// NetrSessionDel.
    SessionDel,
    /// NetrShareEnum and NetrShareEnumSticky at this level.
    ShareEnum(u32),
    /// NetrShareGetInfo at this level.
    ShareGetInfo(u32),
    /// NetrServerGetInfo at this level.
    ServerGetInfo(u32),
    /// NetrRemoteTOD.
    RemoteTod,
}

/// Whom an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Administrators and Server Operators.
    Operators,
    /// Everyone who has proved who they are.
    AuthenticatedUsers,
}

impl Operation {
    /// Whom it is for. Levels that do not exist are refused to nobody, so that everyone
    /// gets ERROR_INVALID_LEVEL for them.
    pub fn audience(self) -> Audience {
        match self {
            Self::ConnectionEnum
            | Self::FileEnum
            | Self::FileGetInfo
            | Self::FileClose
            | Self::SessionEnum
            | Self::SessionDel
            | Self::ShareEnum(2 | 502 | 503)
            | Self::ShareGetInfo(2 | 502 | 503)
            | Self::ServerGetInfo(102 | 103 | 502 | 503) => Audience::Operators,
            Self::ShareEnum(_)
            | Self::ShareGetInfo(_)
            | Self::ServerGetInfo(_)
            | Self::RemoteTod => Audience::AuthenticatedUsers,
        }
    }
}

/// May this caller do it? If not, the answer is ERROR_ACCESS_DENIED (5).
pub fn allows(caller: &SecurityContext, operation: Operation) -> bool {
    let is_member = match operation.audience() {
        Audience::Operators => caller.has(SID_ADMINISTRATORS) || caller.has(SID_SERVER_OPERATORS),
        Audience::AuthenticatedUsers => caller.has(SID_AUTHENTICATED_USERS),
    };
    is_member && !caller.is_anonymous && !caller.is_guest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use server::account::{SID_GUESTS, SID_NETWORK};

    use super::*;

    fn caller(groups: &[&str]) -> SecurityContext {
        SecurityContext {
            user_name: Arc::from("alice"),
            domain: Arc::from("SRV"),
            sid: Arc::from("S-1-5-21-1-2-3-1000"),
            groups: groups.iter().map(|&sid| Arc::from(sid)).collect(),
            is_guest: false,
            is_anonymous: false,
        }
    }

    const FOR_OPERATORS: &[Operation] = &[
        Operation::ConnectionEnum,
        Operation::FileEnum,
        Operation::FileGetInfo,
        Operation::FileClose,
        Operation::SessionEnum,
        Operation::SessionDel,
        Operation::ShareEnum(2),
        Operation::ShareEnum(502),
        Operation::ShareGetInfo(2),
        Operation::ShareGetInfo(502),
        Operation::ServerGetInfo(102),
    ];

    const FOR_USERS: &[Operation] = &[
        Operation::ShareEnum(0),
        Operation::ShareEnum(1),
        Operation::ShareEnum(501),
        Operation::ShareGetInfo(0),
        Operation::ShareGetInfo(1),
        Operation::ShareGetInfo(501),
        Operation::ShareGetInfo(1005),
        Operation::ServerGetInfo(100),
        Operation::ServerGetInfo(101),
        Operation::RemoteTod,
    ];

    #[test]
    fn operators_may_do_everything() {
        for sid in [SID_ADMINISTRATORS, SID_SERVER_OPERATORS] {
            let caller = caller(&[SID_AUTHENTICATED_USERS, SID_NETWORK, sid]);
            for &operation in FOR_OPERATORS.iter().chain(FOR_USERS) {
                assert!(allows(&caller, operation), "{operation:?}");
            }
        }
    }

    #[test]
    fn users_may_look_at_shares_and_the_server_only() {
        let caller = caller(&[SID_AUTHENTICATED_USERS, SID_NETWORK]);
        for &operation in FOR_OPERATORS {
            assert!(!allows(&caller, operation), "{operation:?}");
        }
        for &operation in FOR_USERS {
            assert!(allows(&caller, operation), "{operation:?}");
        }
    }

    #[test]
    fn guests_and_anonymous_callers_may_do_nothing() {
        let stranger = caller(&[SID_NETWORK, SID_GUESTS]);
        let groups = [SID_AUTHENTICATED_USERS, SID_ADMINISTRATORS];
        let guest = SecurityContext {
            is_guest: true,
            ..caller(&groups)
        };
        let anonymous = SecurityContext {
            is_anonymous: true,
            ..caller(&groups)
        };
        for caller in [stranger, guest, anonymous] {
            for &operation in FOR_OPERATORS.iter().chain(FOR_USERS) {
                assert!(!allows(&caller, operation), "{operation:?}");
            }
        }
    }
}
