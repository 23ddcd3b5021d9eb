//! The stubs of MS-SRVS, in both syntaxes.

use rpc::Syntax;

use crate::Target;

const SYNTAXES: [Syntax; 2] = [Syntax::Ndr20, Syntax::Ndr64];

/// What can be read can be written, and reads back the same.
macro_rules! stubs {
    ($($name:ident: $type:ident,)*) => {
        $(
            #[doc = concat!("[`srvsvc::", stringify!($type), "`].")]
            pub fn $name(stub: &[u8]) -> bool {
                let mut understood = false;
                for syntax in SYNTAXES {
                    if let Ok(value) = <srvsvc::$type>::read(syntax, stub) {
                        let again = value.write(syntax);
                        assert_eq!(<srvsvc::$type>::read(syntax, &again), Ok(value));
                        understood = true;
                    }
                }
                understood
            }
        )*

        /// The targets of requests, and of replies that name their level.
        pub const STUBS: &[(&str, Target)] = &[$((stringify!($name), $name),)*];
    };
}

stubs! {
    session_enum_request: SessionEnumRequest,
    session_enum_response: SessionEnumResponse,
    session_del_request: SessionDelRequest,
    connection_enum_request: ConnectionEnumRequest,
    connection_enum_response: ConnectionEnumResponse,
    file_enum_request: FileEnumRequest,
    file_enum_response: FileEnumResponse,
    file_get_info_request: FileGetInfoRequest,
    file_close_request: FileCloseRequest,
    share_enum_request: ShareEnumRequest,
    share_enum_response: ShareEnumResponse,
    share_get_info_request: ShareGetInfoRequest,
    server_get_info_request: ServerGetInfoRequest,
    remote_tod_request: RemoteTodRequest,
    remote_tod_response: RemoteTodResponse,
}

/// Replies read at the level that was asked for.
macro_rules! leveled {
    ($($name:ident: $type:ident at $levels:expr,)*) => {
        $(
            #[doc = concat!("[`srvsvc::", stringify!($type), "`].")]
            pub fn $name(stub: &[u8]) -> bool {
                let mut understood = false;
                for syntax in SYNTAXES {
                    for level in $levels {
                        if let Ok(value) = <srvsvc::$type>::read(syntax, level, stub) {
                            let again = value.write(syntax);
                            assert_eq!(<srvsvc::$type>::read(syntax, level, &again), Ok(value));
                            understood = true;
                        }
                    }
                }
                understood
            }
        )*

        /// The targets of replies that do not name their level.
        pub const LEVELED: &[(&str, Target)] = &[$((stringify!($name), $name),)*];
    };
}

leveled! {
    file_get_info_response: FileGetInfoResponse at [2, 3, 4],
    share_get_info_response: ShareGetInfoResponse at [0, 1, 2, 501, 502, 1005, 3],
    server_get_info_response: ServerGetInfoResponse at [100, 101, 102, 103],
}

/// A reply that is only a result.
pub fn session_del_response(stub: &[u8]) -> bool {
    SYNTAXES
        .map(|syntax| srvsvc::read_result(syntax, stub).is_ok())
        .contains(&true)
}

/// The other targets of this module.
pub const OTHERS: &[(&str, Target)] = &[("session_del_response", session_del_response)];
