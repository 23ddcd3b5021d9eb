//! The layout of `net session` of Windows: fixed columns, names cut to them. What the
//! level does not tell is left blank.

use netsession::{ConnectionInfo, UserFlags};

use super::columns::exactly;
use crate::row::Row;
use crate::text::printable;

/// The lines above the sessions.
pub const HEADING: &str = "\
Computer               User name            Client Type       Opens Idle time

-------------------------------------------------------------------------------
";

/// The line below them.
pub const END: &str = "The command completed successfully.\n";

/// Instead of all that, if there is nothing to list.
pub const NONE: &str = "There are no entries in the list.\n";

/// Widths of the columns for computer, user name and client type; each is followed by a
/// space.
const COMPUTER: usize = 22;
const USER_NAME: usize = 20;
const CLIENT_TYPE: usize = 17;
const OPENS: usize = 5;

/// One session of the list.
pub fn line(row: &Row) -> String {
    let opens = row.opens.map_or(String::new(), |opens| opens.to_string());
    let line = format!(
        "{} {} {} {opens:>OPENS$} {}",
        exactly(&computer(row), COMPUTER),
        exactly(&text(&row.user), USER_NAME),
        exactly(&text(&row.client_type), CLIENT_TYPE),
        row.idle_seconds.map_or(String::new(), time),
    );
    format!("{}\n", line.trim_end())
}

/// One session with all that is known of it.
pub fn details(row: &Row) -> String {
    let guest = match row.user_flags {
        Some(flags) if UserFlags::from_bits(flags).is_guest() => "Yes",
        Some(_) => "No",
        None => "",
    };
    let mut block = String::new();
    for (label, value) in [
        ("User name", text(&row.user)),
        ("Computer", printable(&row.client)),
        ("Guest logon", guest.to_owned()),
        ("Client type", text(&row.client_type)),
        (
            "Sess time",
            row.connected_seconds.map_or(String::new(), time),
        ),
        ("Idle time", row.idle_seconds.map_or(String::new(), time)),
    ] {
        let line = format!("{label:<DETAIL$}{value}");
        block.push_str(line.trim_end());
        block.push('\n');
    }
    block
}

/// The shares that the session is connected to.
pub fn shares(connections: &[ConnectionInfo]) -> String {
    let mut text = format!("\nShare name     Type     # Opens\n\n{RULE}\n");
    for connection in connections {
        text.push_str(&format!(
            "{} {} {:>NUMBER$}\n",
            exactly(&printable(&connection.netname), SHARE_NAME),
            exactly(share_type(connection.connection_type), SHARE_TYPE),
            connection.num_opens,
        ));
    }
    text
}

/// STYPE_* ([MS-SRVS] 2.2.2.4) without its flags.
fn share_type(number: u32) -> &'static str {
    match number & 0x0FFF_FFFF {
        0 => "Disk",
        1 => "Print",
        2 => "Comm",
        3 => "IPC",
        _ => "",
    }
}

const SHARE_NAME: usize = 14;
const SHARE_TYPE: usize = 8;
/// `# Opens`.
const NUMBER: usize = 7;

const RULE: &str =
    "-------------------------------------------------------------------------------";

/// Width of the labels in [`details`].
const DETAIL: usize = 16;

fn computer(row: &Row) -> String {
    format!(r"\\{}", printable(&row.client))
}

fn text(name: &Option<String>) -> String {
    name.as_deref().map_or(String::new(), printable)
}

/// `HH:MM:SS`, from a day on `05D 22H 02M`. Samba's small negative numbers are 0.
fn time(seconds: u32) -> String {
    let seconds = u32::try_from(seconds.cast_signed()).unwrap_or(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days == 0 {
        format!("{hours:02}:{:02}:{:02}", minutes % 60, seconds % 60)
    } else {
        format!("{days:02}D {:02}H {:02}M", hours % 24, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(client: &str, user: &str, client_type: &str, opens: u32, idle: u32) -> Row {
        Row {
            client: client.into(),
            user: Some(user.into()),
            opens: Some(opens),
            connected_seconds: Some(90_061),
            idle_seconds: Some(idle),
            user_flags: Some(1),
            flags: Some(vec!["guest".into()]),
            client_type: Some(client_type.into()),
            transport: None,
        }
    }

    #[test]
    fn columns_are_where_net_session_has_them() {
        assert_eq!(
            HEADING.lines().map(str::len).collect::<Vec<_>>(),
            [77, 0, 79]
        );
        let ruler = HEADING.lines().next().unwrap();
        for (word, at) in [
            ("Computer", 0),
            ("User name", 23),
            ("Client Type", 44),
            ("Opens", 62),
            ("Idle time", 68),
        ] {
            assert_eq!(ruler.find(word), Some(at), "{word}");
        }
    }

    #[test]
    fn sessions() {
        for (row, golden) in [
            (
                row("192.0.2.10", "alice", "", 2, 62),
                r"\\192.0.2.10           alice                                      2 00:01:02",
            ),
            (
                row(
                    "[::1]",
                    "bob",
                    "Windows 2002 Service Pack 2",
                    12345,
                    511_320,
                ),
                r"\\[::1]                bob                  Windows 2002 Serv 12345 05D 22H 02M",
            ),
            (
                row(
                    "[2001:db8::aaaa:bbbb:cccc]",
                    "a-name-of-more-than-20",
                    "x",
                    0,
                    86_399,
                ),
                r"\\[2001:db8::aaaa:bbbb a-name-of-more-than- x                     0 23:59:59",
            ),
            (
                row("会計課の第二計算機です", "Jürgen 名前", "", 1, u32::MAX),
                r"\\会計課の第二計算機で Jürgen 名前                                1 00:00:00",
            ),
        ] {
            assert_eq!(line(&row), format!("{golden}\n"));
        }
    }

    #[test]
    fn what_is_not_known_is_blank() {
        let row = Row {
            user: None,
            opens: None,
            idle_seconds: None,
            client_type: None,
            ..row("a", "", "", 0, 0)
        };
        assert_eq!(line(&row), "\\\\a\n");
    }

    #[test]
    fn the_details() {
        assert_eq!(
            details(&row("192.0.2.10", "alice", "Windows 5.0", 2, 5)),
            "User name       alice\n\
             Computer        192.0.2.10\n\
             Guest logon     Yes\n\
             Client type     Windows 5.0\n\
             Sess time       01D 01H 01M\n\
             Idle time       00:00:05\n"
        );
    }

    #[test]
    fn the_shares() {
        let connection = |name: &str, kind, opens| ConnectionInfo {
            netname: name.into(),
            connection_type: kind,
            num_opens: opens,
            ..ConnectionInfo::default()
        };
        let text = shares(&[
            connection("docs", 0, 3),
            connection("IPC$", 0x8000_0003, 12),
            connection("a-long-share-name", 1, 0),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "",
                "Share name     Type     # Opens",
                "",
                &"-".repeat(79),
                "docs           Disk           3",
                "IPC$           IPC           12",
                "a-long-share-n Print          0",
            ]
        );
    }
}
