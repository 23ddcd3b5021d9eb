//! The rows of the table.

use netsession_tests::subject::{ALICE, BOB, CAROL, User};

use super::{Expected, Line, Other, Which};
use crate::call::{Call, LEVELS, Name, status};
use crate::scene::Held;

/// A client computer that has no session.
const STRANGER: Name = Some(r"\\192.0.2.1");

const WRONG_PASSWORD: User = User {
    name: "admin",
    password: "wrong",
};

const NOBODY: User = User {
    name: "nobody-here",
    password: "wrong",
};

const SAMBA_LEVELS: &str = "smbd knows levels 0 and 1 only";
const SAMBA_NO_MATCH: &str = "smbd answers 5 where nothing matched";
const ADDS_BACKSLASHES: &str = r"the command line adds `\\` to a client name";
const REFUSES_LEVEL: &str = "the command line refuses an unknown level before it sends anything";
const EMPTY_LIST: &str = "no session is an empty list for `list`, not a failure";

/// All of them.
pub fn all() -> Vec<Line> {
    let mut lines = Vec::new();
    for level in LEVELS {
        lines.extend(
            at(level)
                .into_iter()
                .map(|line| known_to_samba(line, level)),
        );
    }
    lines.extend(no_such_session());
    lines.extend(wrong_levels());
    lines.extend(wrong_names());
    lines.extend(wrong_callers());
    lines.extend(ends_nothing());
    lines
}

fn known_to_samba(line: Line, level: u32) -> Line {
    match level {
        0 | 1 => line,
        _ => line.samba(Other::Is(
            Expected::status(status::INVALID_LEVEL),
            SAMBA_LEVELS,
        )),
    }
}

fn is_at_2(held: &Held) -> bool {
    held.client == "127.0.0.2"
}

fn is_bob(held: &Held) -> bool {
    held.user == "bob"
}

fn is_bob_at_3(held: &Held) -> bool {
    is_bob(held) && held.client == "127.0.0.3"
}

fn is_alice_at_3(held: &Held) -> bool {
    held.user == "alice" && held.client == "127.0.0.3"
}

/// What succeeds, at one level.
fn at(level: u32) -> Vec<Line> {
    let everything = Expected::these(Which::AllAndCaller);
    let enumerated = |what: &str, client: Name, user: Name, which: fn(&Held) -> bool| {
        let what = format!("Enum {level}, {what}");
        let expected = Expected::these(Which::All(which));
        Line::new(what, Call::all(client, user, level), expected)
    };
    let (at_2, at_3) = (Some(r"\\127.0.0.2"), Some(r"\\127.0.0.3"));
    vec![
        Line::new(
            format!("Enum {level}"),
            Call::all(None, None, level),
            everything,
        ),
        Line::new(
            format!("Enum {level}, empty names"),
            Call::all(Some(""), Some(""), level),
            everything,
        ),
        enumerated("by client", at_2, None, is_at_2),
        enumerated("by user", None, Some("bob"), is_bob),
        enumerated("by user in other letters", None, Some("BOB"), is_bob),
        enumerated("by both", at_3, Some("bob"), is_bob_at_3),
        Line::new(
            format!("Enum {level} without a handle"),
            Call::Enum {
                client: None,
                user: None,
                level,
                prefmaxlen: crate::call::EVERYTHING,
                resume: None,
            },
            everything,
        ),
        Line::new(
            format!("GetInfo {level}"),
            Call::get_info(at_2, Some("alice"), level),
            Expected::these(Which::First(|held| is_at_2(held) && held.user == "alice")),
        ),
        Line::new(
            format!("GetInfo {level} of one of several"),
            Call::get_info(at_3, Some("bob"), level),
            Expected::these(Which::First(is_bob_at_3)),
        )
        .samba(Other::Is(
            Expected::these(Which::Any(is_bob_at_3)),
            "smbd lists in the order of its hashes",
        )),
        Line::new(
            format!("GetInfo {level} with no open file"),
            Call::get_info(at_3, Some("ALICE"), level),
            Expected::these(Which::First(is_alice_at_3)),
        ),
    ]
}

/// 2312 and 2221.
fn no_such_session() -> Vec<Line> {
    let none = Other::Is(Expected::these(Which::None), EMPTY_LIST);
    let no_client = Expected::status(status::CLIENT_NAME_NOT_FOUND);
    vec![
        Line::new(
            "Enum, unknown client",
            Call::all(STRANGER, None, 1),
            no_client,
        )
        .command_line(none),
        Line::new(
            "Enum, unknown user",
            Call::all(None, Some("nobody-here"), 1),
            Expected::status(status::USER_NOT_FOUND),
        )
        .command_line(none),
        Line::new(
            "Enum, a known client without this user",
            Call::all(Some(r"\\127.0.0.2"), Some("carol"), 1),
            no_client,
        )
        .command_line(none),
        Line::new(
            "GetInfo, unknown client",
            Call::get_info(STRANGER, Some("bob"), 1),
            no_client,
        ),
        Line::new(
            "GetInfo, unknown user",
            Call::get_info(Some(r"\\127.0.0.2"), Some("nobody-here"), 1),
            no_client,
        ),
    ]
}

/// 124.
fn wrong_levels() -> Vec<Line> {
    let mut lines = Vec::new();
    for level in [3, 11, 501, 503, u32::MAX] {
        let expected = Expected::status(status::INVALID_LEVEL);
        let usage = Other::Is(Expected::status(status::INVALID_PARAMETER), REFUSES_LEVEL);
        let (client, user) = (Some(r"\\127.0.0.2"), Some("alice"));
        lines.push(
            Line::new(
                format!("Enum {level}"),
                Call::all(None, None, level),
                expected,
            )
            .command_line(usage),
        );
        lines.push(
            Line::new(
                format!("GetInfo {level}"),
                Call::get_info(client, user, level),
                expected,
            )
            .command_line(usage),
        );
    }
    lines
}

/// 2351 and 87.
fn wrong_names() -> Vec<Line> {
    let (client, user) = (Some(r"\\127.0.0.2"), Some("alice"));
    let bare = Some("127.0.0.2");
    let tolerated = "smbd ignores the name, and the client compares without backslashes";
    let alice_at_2: fn(&Held) -> bool = |held| is_at_2(held) && held.user == "alice";
    let mut lines = vec![
        Line::new(
            r"Enum, client without `\\`",
            Call::all(bare, None, 1),
            Expected::status(status::INVALID_COMPUTER),
        )
        .samba(Other::Is(Expected::these(Which::All(is_at_2)), tolerated))
        .command_line(Other::Is(
            Expected::these(Which::All(is_at_2)),
            ADDS_BACKSLASHES,
        )),
        Line::new(
            r"GetInfo, client without `\\`",
            Call::get_info(bare, user, 1),
            Expected::status(status::INVALID_COMPUTER),
        )
        .samba(Other::Is(
            Expected::these(Which::Any(alice_at_2)),
            tolerated,
        ))
        .command_line(Other::Is(
            Expected::these(Which::Any(alice_at_2)),
            ADDS_BACKSLASHES,
        )),
    ];
    for (what, client, user) in [
        ("NULL client", None, user),
        ("NULL user", client, None),
        ("no name at all", None, None),
        ("empty client", Some(""), user),
        ("empty user", client, Some("")),
    ] {
        lines.push(Line::new(
            format!("GetInfo, {what}"),
            Call::get_info(client, user, 1),
            Expected::status(status::INVALID_PARAMETER),
        ));
    }
    lines
}

/// 5 and 1326.
fn wrong_callers() -> Vec<Line> {
    let mut lines = Vec::new();
    let denied = Expected::status(status::ACCESS_DENIED);
    for level in LEVELS {
        lines.push(
            Line::new(
                format!("Enum {level} by a plain user"),
                Call::all(None, None, level),
                denied,
            )
            .by(ALICE),
        );
        // Not even of oneself.
        lines.push(
            Line::new(
                format!("GetInfo {level} by a plain user"),
                Call::get_info(Some(r"\\127.0.0.2"), Some("alice"), level),
                denied,
            )
            .by(ALICE),
        );
    }
    lines.push(
        Line::new(
            "Del by a plain user",
            Call::del(Some(r"\\127.0.0.2"), Some("alice")),
            denied,
        )
        .by(BOB),
    );
    for (what, caller) in [("a wrong password", WRONG_PASSWORD), ("nobody", NOBODY)] {
        let failed = Expected::status(status::LOGON_FAILURE);
        lines.push(
            Line::new(format!("Enum by {what}"), Call::all(None, None, 1), failed).by(caller),
        );
        lines.push(
            Line::new(
                format!("GetInfo by {what}"),
                Call::get_info(Some(r"\\127.0.0.2"), Some("alice"), 1),
                failed,
            )
            .by(caller),
        );
        lines.push(
            Line::new(
                format!("Del by {what}"),
                Call::del(Some(r"\\127.0.0.2"), None),
                failed,
            )
            .by(caller),
        );
    }
    lines.push(
        Line::new(
            "Enum by a disabled user",
            Call::all(None, None, 1),
            Expected::status(status::ACCOUNT_DISABLED),
        )
        .by(CAROL),
    );
    lines
}

/// NetSessionDel that ends nothing: the lines behind it see all sessions.
fn ends_nothing() -> Vec<Line> {
    let no_client = Expected::status(status::CLIENT_NAME_NOT_FOUND);
    let denied = Other::Is(Expected::status(status::ACCESS_DENIED), SAMBA_NO_MATCH);
    // The command line looks for the sessions first, and finds none.
    let why = "the command line lists what it will end, and ends nothing if there is nothing";
    let looks_first = Other::Is(no_client, why);
    let user_not_found = Other::Is(Expected::status(status::USER_NOT_FOUND), why);
    let usage = Expected::status(status::INVALID_PARAMETER);
    vec![
        Line::new("Del, no name at all", Call::del(None, None), usage),
        Line::new("Del, empty names", Call::del(Some(""), Some("")), usage),
        Line::new("Del, empty client", Call::del(Some(""), None), usage),
        Line::new("Del, unknown client", Call::del(STRANGER, None), no_client)
            .samba(denied)
            .command_line(looks_first),
        Line::new(
            "Del, unknown user",
            Call::del(None, Some("nobody-here")),
            no_client,
        )
        .samba(denied)
        .command_line(user_not_found),
        Line::new(
            "Del, a known client without this user",
            Call::del(Some(r"\\127.0.0.2"), Some("carol")),
            no_client,
        )
        .samba(denied)
        .command_line(looks_first),
        Line::new(
            r"Del, client without `\\`",
            Call::del(Some("127.0.0.2"), None),
            no_client,
        )
        .samba(Other::NotAsked("smbd would end the sessions"))
        .command_line(Other::NotAsked(
            r"the command line adds `\\`, and would end the sessions",
        )),
        Line::new(
            "Enum, after all that",
            Call::all(None, None, 1),
            Expected::these(Which::AllAndCaller),
        ),
    ]
}
