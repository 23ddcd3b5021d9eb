//! The numbers of lmerr.h and their names.

use std::ffi::CStr;

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const NOT_ENOUGH_MEMORY: u32 = 8;
pub(crate) const INVALID_PARAMETER: u32 = 87;
pub(crate) const MORE_DATA: u32 = 234;
pub(crate) const INTERNAL_ERROR: u32 = 2140;

/// Ascending, so that a name can be looked up by halving.
const NAMES: &[(u32, &CStr)] = &[
    (0, c"NERR_Success"),
    (5, c"ERROR_ACCESS_DENIED"),
    (8, c"ERROR_NOT_ENOUGH_MEMORY"),
    (50, c"ERROR_NOT_SUPPORTED"),
    (53, c"ERROR_BAD_NETPATH"),
    (64, c"ERROR_NETNAME_DELETED"),
    (65, c"ERROR_NETWORK_ACCESS_DENIED"),
    (67, c"ERROR_BAD_NET_NAME"),
    (71, c"ERROR_REQ_NOT_ACCEP"),
    (87, c"ERROR_INVALID_PARAMETER"),
    (109, c"ERROR_BROKEN_PIPE"),
    (120, c"ERROR_CALL_NOT_IMPLEMENTED"),
    (121, c"ERROR_SEM_TIMEOUT"),
    (124, c"ERROR_INVALID_LEVEL"),
    (231, c"ERROR_PIPE_BUSY"),
    (232, c"ERROR_NO_DATA"),
    (233, c"ERROR_PIPE_NOT_CONNECTED"),
    (234, c"ERROR_MORE_DATA"),
    (1062, c"ERROR_SERVICE_NOT_ACTIVE"),
    (1130, c"ERROR_NOT_ENOUGH_SERVER_MEMORY"),
    (1314, c"ERROR_PRIVILEGE_NOT_HELD"),
    (1326, c"ERROR_LOGON_FAILURE"),
    (1327, c"ERROR_ACCOUNT_RESTRICTION"),
    (1330, c"ERROR_PASSWORD_EXPIRED"),
    (1331, c"ERROR_ACCOUNT_DISABLED"),
    (1385, c"ERROR_LOGON_TYPE_NOT_GRANTED"),
    (1450, c"ERROR_NO_SYSTEM_RESOURCES"),
    (1702, c"RPC_S_INVALID_BINDING"),
    (1717, c"RPC_S_UNKNOWN_IF"),
    (1722, c"RPC_S_SERVER_UNAVAILABLE"),
    (1726, c"RPC_S_CALL_FAILED"),
    (1733, c"RPC_S_INVALID_TAG"),
    (1745, c"RPC_S_PROCNUM_OUT_OF_RANGE"),
    (1783, c"RPC_X_BAD_STUB_DATA"),
    (1909, c"ERROR_ACCOUNT_LOCKED_OUT"),
    (2102, c"NERR_NetNotStarted"),
    (2103, c"NERR_UnknownServer"),
    (2114, c"NERR_ServerNotStarted"),
    (2123, c"NERR_BufTooSmall"),
    (2138, c"NERR_WkstaNotStarted"),
    (2140, c"NERR_InternalError"),
    (2142, c"NERR_InvalidAPI"),
    (2221, c"NERR_UserNotFound"),
    (2310, c"NERR_NetNameNotFound"),
    (2312, c"NERR_ClientNameNotFound"),
    (2314, c"NERR_FileIdNotFound"),
    (2351, c"NERR_InvalidComputer"),
];

/// The name of a number in lmerr.h.
pub(crate) fn name(status: u32) -> Option<&'static CStr> {
    let place = NAMES.binary_search_by_key(&status, |(number, _)| *number);
    place.ok().map(|place| NAMES[place].1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// `#define NAME 5` and `#define NAME (NERR_BASE + 2)`.
    fn header() -> BTreeMap<&'static str, u32> {
        include_str!("../include/netsession/lmerr.h")
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .map(|(name, value)| {
                let value = value.split(" /*").next().unwrap();
                let number = match value.strip_prefix("(NERR_BASE + ") {
                    Some(rest) => 2100 + rest.trim_end_matches(')').parse::<u32>().unwrap(),
                    None => value.parse().unwrap(),
                };
                (name, number)
            })
            .collect()
    }

    #[test]
    fn the_table_is_that_of_the_header() {
        assert!(NAMES.is_sorted_by_key(|(number, _)| *number));
        let header = header();
        for (number, name) in NAMES {
            assert_eq!(header.get(name.to_str().unwrap()), Some(number), "{name:?}");
        }
        let nameless = ["NERR_BASE", "NO_ERROR", "ERROR_SUCCESS"];
        assert_eq!(header.len(), NAMES.len() + nameless.len());
    }

    #[test]
    fn the_numbers_are_those_of_the_protocol() {
        for status in netsession::NetApiStatus::KNOWN {
            assert_eq!(
                name(status.0).map(|name| name.to_str().unwrap()),
                status.name()
            );
        }
        assert_eq!(name(4), None);
    }
}
