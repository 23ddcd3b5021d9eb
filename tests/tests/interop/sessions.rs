//! What a session is, and what ending it does ([MS-SMB2] 3.3.4.12).

use netsession_tests::Subject;
use netsession_tests::client::python;

fn case(name: &str) {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: Samba has neither level 502 nor the end of one session of many.
    }
    python(&subject, "sessions", &[name]).succeeded();
}

#[test]
fn two_users_on_one_connection() {
    case("two_users");
}

#[test]
fn two_shares_in_one_session() {
    case("two_shares");
}

#[test]
fn one_user_twice() {
    case("same_user");
}

#[test]
fn several_clients() {
    case("clients");
}

#[test]
fn idle_time_and_opens() {
    case("idle");
}

#[test]
fn the_callers_own_session() {
    case("own");
}

#[test]
fn a_previous_session_id() {
    case("previous");
}
