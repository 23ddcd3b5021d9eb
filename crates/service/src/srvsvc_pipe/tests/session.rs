use srvsvc::{NetApiStatus, SessionEnumResponse, SessionInfo};

use super::*;
use crate::srvsvc_pipe::endpoint::PAGE;

/// The sessions of most tests; the caller's is the first.
const SESSIONS: &[(&str, &str)] = &[
    ("192.0.2.1", "caller"),
    ("192.0.2.10", "alice"),
    ("192.0.2.11", "bob"),
    ("[fe80::1]", "alice"),
    ("192.0.2.10", "bob"),
    ("192.0.2.12", ""),
    ("192.0.2.12", "guest"),
];

fn ask(level: u32, client: Option<&str>, user: Option<&str>) -> SessionEnumResponse {
    let fake = Fake::with_sessions(SESSIONS);
    let request = SessionEnumRequest {
        client_name: client.map(str::to_owned),
        user_name: user.map(str::to_owned),
        ..request(level)
    };
    enumerate(&mut admin(&fake), &request)
}

fn code(level: u32, client: Option<&str>, user: Option<&str>) -> u32 {
    let response = ask(level, client, user);
    assert!(response.entries.is_empty() || response.result.is_success());
    response.result.0
}

fn users(response: &SessionEnumResponse) -> Vec<&str> {
    response.entries.iter().map(|row| &*row.username).collect()
}

#[test]
fn every_level_has_its_fields() {
    for level in [0, 1, 2, 10, 502] {
        let response = ask(level, Some(r"\\192.0.2.12"), None);
        assert_eq!(response.result, NetApiStatus::SUCCESS);
        assert_eq!(
            (response.total_entries, response.resume_handle),
            (2, Some(0))
        );
        let has = |levels: &[u32], value: u32| if levels.contains(&level) { value } else { 0 };
        let text = |levels: &[u32], value: &str| {
            if levels.contains(&level) {
                value.to_owned()
            } else {
                String::new()
            }
        };
        let expected = SessionInfo {
            cname: if level == 502 {
                "192.0.2.12".into()
            } else {
                r"\\192.0.2.12".into()
            },
            username: text(&[1, 2, 10, 502], "guest"),
            num_opens: has(&[1, 2, 502], 2),
            time: has(&[1, 2, 10, 502], 3661),
            idle_time: has(&[1, 2, 10, 502], 5),
            user_flags: has(&[1, 2, 502], 1),
            cltype_name: String::new(),
            transport: text(&[502], r"\Device\NetbiosSmb"),
        };
        assert_eq!(response.entries[1], expected, "level {level}");
        assert_eq!(response.entries[0].user_flags, 0);
    }
}

#[test]
fn filters_select_without_regard_to_case_and_spelling() {
    assert_eq!(ask(10, None, None).entries.len(), SESSIONS.len());
    assert_eq!(ask(10, Some(""), Some("")).entries.len(), SESSIONS.len());
    assert_eq!(
        users(&ask(10, Some(r"\\192.0.2.10"), None)),
        ["alice", "bob"]
    );
    assert_eq!(users(&ask(10, None, Some("ALICE"))), ["alice", "alice"]);
    assert_eq!(users(&ask(10, Some(r"\\192.0.2.10"), Some("Bob"))), ["bob"]);
    for spelling in [
        r"\\[fe80::1]",
        r"\\[FE80::1]",
        r"\\fe80::1",
        r"\\\[fe80::1]",
    ] {
        assert_eq!(
            users(&ask(10, Some(spelling), None)),
            ["alice"],
            "{spelling}"
        );
    }
}

#[test]
fn errors_come_in_their_order() {
    let long_client = format!(r"\\{}", "x".repeat(1022));
    let longest_client = format!(r"\\{}", "x".repeat(1021));
    let (long_user, longest_user) = ("x".repeat(1024), "x".repeat(1023));
    for (expected, level, client, user) in [
        (124, 3, Some("bare"), None),
        (124, u32::MAX, None, None),
        (2351, 10, Some("192.0.2.10"), None),
        (2351, 10, Some(r"\192.0.2.10"), None),
        (2351, 10, Some("bare"), Some(&*long_user)),
        (87, 10, Some(&*long_client), None),
        (87, 10, Some(r"\\nobody"), Some(&*long_user)),
        (2312, 10, Some(&*longest_client), None),
        (2221, 10, None, Some(&*longest_user)),
        (2312, 10, Some(r"\\192.0.2.99"), None),
        (2312, 10, Some(r"\\192.0.2.10"), Some("nobody")),
        (2312, 10, Some(r"\\"), None),
        (2221, 10, None, Some("nobody")),
        (0, 10, None, None),
    ] {
        assert_eq!(
            code(level, client, user),
            expected,
            "{level} {client:?} {user:?}"
        );
    }
}

#[test]
fn only_operators_get_anything_but_5() {
    let fake = Fake::with_sessions(SESSIONS);
    for level in [0, 1, 2, 10, 502, 3] {
        let request = SessionEnumRequest {
            client_name: Some("bare".into()),
            ..request(level)
        };
        let response = enumerate(&mut ordinary(&fake), &request);
        assert_eq!((response.result.0, response.level), (5, level));
        assert!(response.entries.is_empty() && response.total_entries == 0);
    }
    assert_eq!(delete(&mut ordinary(&fake), None, None), 5);
    assert_eq!(delete(&mut ordinary(&fake), None, Some("alice")), 5);
    assert_eq!(fake.ids().len(), SESSIONS.len());
    assert_eq!(fake.tables().queries, 0);
    assert_eq!(
        enumerate(&mut operator(&fake), &request(10)).entries.len(),
        SESSIONS.len()
    );
    assert_eq!(delete(&mut operator(&fake), None, Some("alice")), 0);
}

#[test]
fn an_unknown_level_is_echoed_in_both_syntaxes() {
    let fake = Fake::with_sessions(SESSIONS);
    for syntax in BOTH {
        let stub = request(3).write(syntax);
        let reply = admin(&fake)
            .call(opnum::NETR_SESSION_ENUM, syntax, &stub)
            .unwrap();
        let response = SessionEnumResponse::read(syntax, &reply).unwrap();
        assert_eq!((response.level, response.result.0), (3, 124));
    }
}

#[test]
fn no_sessions_and_no_filter_is_success() {
    let response = enumerate(&mut admin(&Fake::default()), &request(10));
    assert_eq!((response.result.0, response.total_entries), (0, 0));
}

/// All pages of a request; the handle is passed back until the answer is not 234.
fn pages(fake: &Fake, mut request: SessionEnumRequest) -> Vec<SessionEnumResponse> {
    let mut pages = Vec::new();
    loop {
        let response = enumerate(&mut admin(fake), &request);
        request.resume_handle = response.resume_handle;
        let more = response.result == NetApiStatus::MORE_DATA;
        assert_ne!(more, response.resume_handle == Some(0));
        pages.push(response);
        if !more {
            return pages;
        }
    }
}

#[test]
fn preferred_length_cuts_whole_entries_and_at_least_one() {
    let fake = Fake::with_sessions(SESSIONS);
    // Level 10: 24 bytes, `\\192.0.2.1` 24, `caller` 14.
    let first = 24 + 24 + 14;
    for (length, expected) in [(0, 1), (1, 1), (first - 1, 1), (first, 1), (first + 62, 2)] {
        let request = SessionEnumRequest {
            prefered_maximum_length: length,
            ..request(10)
        };
        let response = enumerate(&mut admin(&fake), &request);
        assert_eq!(response.result, NetApiStatus::MORE_DATA);
        assert_eq!(response.entries.len(), expected, "{length}");
        assert_eq!(response.total_entries as usize, SESSIONS.len());
        assert_eq!(response.resume_handle, Some(expected as u32));
    }
    for length in [0, 70, 100, 200, 1000, u32::MAX] {
        let request = SessionEnumRequest {
            prefered_maximum_length: length,
            ..request(10)
        };
        let pages = pages(&fake, request);
        let mut left = SESSIONS.len();
        for page in &pages {
            assert_eq!(page.total_entries as usize, left);
            left -= page.entries.len();
        }
        assert_eq!(left, 0, "{length}");
    }
}

#[test]
fn one_session_that_does_not_fit_is_still_all_there_is() {
    let fake = Fake::with_sessions(&SESSIONS[..1]);
    let request = SessionEnumRequest {
        prefered_maximum_length: 0,
        ..request(502)
    };
    let response = enumerate(&mut admin(&fake), &request);
    assert_eq!(
        (
            response.result.0,
            response.entries.len(),
            response.total_entries
        ),
        (0, 1, 1)
    );
}

#[test]
fn filters_apply_behind_the_resume_position() {
    let fake = Fake::with_sessions(SESSIONS);
    let request = SessionEnumRequest {
        user_name: Some("alice".into()),
        prefered_maximum_length: 0,
        ..request(10)
    };
    let pages = pages(&fake, request);
    assert_eq!(pages.len(), 2);
    assert_eq!(
        (pages[0].resume_handle, pages[0].total_entries),
        (Some(2), 2)
    );
    assert_eq!(
        (pages[1].resume_handle, pages[1].total_entries),
        (Some(0), 1)
    );
}

#[test]
fn a_position_behind_the_end_is_success_without_entries() {
    let fake = Fake::with_sessions(SESSIONS);
    for user_name in [None, Some("alice".to_owned())] {
        let request = SessionEnumRequest {
            resume_handle: Some(0x7FFF_FFFF),
            user_name,
            ..request(10)
        };
        let response = enumerate(&mut admin(&fake), &request);
        assert_eq!((response.result.0, response.total_entries), (0, 0));
        assert_eq!(
            (response.entries.len(), response.resume_handle),
            (0, Some(0))
        );
    }
}

#[test]
fn without_a_handle_the_rest_is_lost_but_counted() {
    let fake = Fake::with_sessions(SESSIONS);
    let request = SessionEnumRequest {
        resume_handle: None,
        prefered_maximum_length: 0,
        ..request(10)
    };
    let response = enumerate(&mut admin(&fake), &request);
    assert_eq!((response.result.0, response.entries.len()), (234, 1));
    assert_eq!(
        (response.total_entries as usize, response.resume_handle),
        (SESSIONS.len(), None)
    );
}

#[test]
fn many_sessions_are_asked_for_in_pages() {
    let fake = Fake::default();
    for number in 0..5 * PAGE + 1 {
        fake.log_on("192.0.2.1", &format!("user{number}"));
    }
    let response = enumerate(&mut admin(&fake), &request(502));
    let count = 5 * PAGE + 1;
    assert_eq!((response.result.0, response.entries.len()), (0, count));
    assert_eq!(response.total_entries as usize, count);
    assert_eq!(fake.tables().queries, 6);
}

#[test]
fn deleting_closes_every_match() {
    for (client, user, left) in [
        (Some(r"\\192.0.2.10"), None, &[1, 3, 4, 6, 7][..]),
        (None, Some("ALICE"), &[1, 3, 5, 6, 7]),
        (Some(r"\\192.0.2.10"), Some("bob"), &[1, 2, 3, 4, 6, 7]),
        (Some(r"\\192.0.2.12"), Some(""), &[1, 2, 3, 4, 5]),
        (Some(r"\\FE80::1"), None, &[1, 2, 3, 5, 6, 7]),
    ] {
        let fake = Fake::with_sessions(SESSIONS);
        let mut endpoint = admin(&fake);
        assert_eq!(delete(&mut endpoint, client, user), 0);
        assert_eq!(fake.ids(), left, "{client:?} {user:?}");
        assert!(endpoint.close_after_reply.is_empty());
        assert_eq!(delete(&mut endpoint, client, user), 2312, "the second time");
    }
}

#[test]
fn deleting_refuses_what_names_nobody() {
    let long = "x".repeat(1024);
    let long_client = format!(r"\\{}", &long[2..]);
    for (expected, client, user) in [
        (2312, Some("192.0.2.10"), None),
        (2312, Some("192.0.2.10"), Some(&*long)),
        (87, Some(&*long_client), None),
        (87, None, Some(&*long)),
        (87, None, None),
        (87, Some(""), Some("")),
        (2312, Some(r"\\192.0.2.99"), None),
        (2312, None, Some("nobody")),
        (2312, Some(r"\\192.0.2.11"), Some("alice")),
    ] {
        let fake = Fake::with_sessions(SESSIONS);
        assert_eq!(
            delete(&mut admin(&fake), client, user),
            expected,
            "{client:?}"
        );
        assert_eq!(fake.ids().len(), SESSIONS.len());
    }
}

#[test]
fn the_callers_own_session_ends_after_the_reply() {
    let fake = Fake::with_sessions(SESSIONS);
    fake.log_on("192.0.2.1", "caller");
    let mut endpoint = admin(&fake);
    assert_eq!(
        delete(&mut endpoint, Some(r"\\192.0.2.1"), Some("caller")),
        0
    );
    assert_eq!(
        fake.ids(),
        [1, 2, 3, 4, 5, 6, 7],
        "its other session ends at once"
    );
    assert_eq!(delete(&mut endpoint, None, Some("caller")), 0);
    assert_eq!(endpoint.close_after_reply, [own_ending()]);
}
