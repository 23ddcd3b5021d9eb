//! Findings from steps made up: servers that are hard to have in a test.

use std::io;

use smb::NtStatus;
use smb::wire::Command;

use super::*;
use crate::{Code, ErrorKind, smb_client};

/// Everything up to the bind went well; `levels` are what 0, 1, 2, 10 and 502 answer.
fn bound(software: Option<Software>, levels: [u32; 5]) -> Diagnosis {
    let answer = |status| match status {
        0 => Ok(LevelAnswer {
            entries_read: 1,
            total_entries: 1,
        }),
        status => Err(Error::net_api("listing".to_owned(), status)),
    };
    let numbers = [0_u32, 1, 2, 10, 502];
    Diagnosis {
        logon: Some(step(Ok(Logon {
            session_id: 1,
            guest: false,
            anonymous: false,
            signed: true,
            encrypted: false,
        }))),
        binding: Some(step(Ok(Binding {
            syntax: Syntax::Ndr20,
            encrypted: false,
        }))),
        software,
        levels: std::iter::zip(numbers, levels)
            .map(|(level, status)| (level.try_into().unwrap(), step(answer(status))))
            .collect(),
        ..nothing(Target::parse("srv").unwrap())
    }
}

fn nothing(target: Target) -> Diagnosis {
    Diagnosis {
        target,
        user: Some("alice".to_owned()),
        resolution: None,
        connections: Vec::new(),
        negotiation: None,
        speaks_smb1: None,
        logon: None,
        binding: None,
        server_info: Vec::new(),
        software: None,
        levels: Vec::new(),
        own_session: None,
        cut_off: None,
        findings: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

fn step<T>(result: Result<T, Error>) -> Step<T> {
    Step {
        result,
        elapsed: Duration::ZERO,
    }
}

/// The findings but for `logged-on`.
fn of(diagnosis: &Diagnosis) -> Vec<Finding> {
    let mut findings = findings::of(diagnosis);
    findings.retain(|finding| finding.id != "logged-on");
    findings
}

fn only(diagnosis: &Diagnosis) -> Finding {
    match <[Finding; 1]>::try_from(of(diagnosis)) {
        Ok([finding]) => finding,
        Err(findings) => panic!("{findings:?}"),
    }
}

#[test]
fn levels_denied_known_and_unknown() {
    let windows = Some(Software::WindowsLike);
    let samba = Some(Software::Samba);
    for (software, levels, expected) in [
        (
            windows,
            [0, 0, 0, 0, 0],
            &[("all-levels-open", Severity::Ok)][..],
        ),
        (
            windows,
            [0, 5, 5, 0, 5],
            &[("levels-denied", Severity::Warning)],
        ),
        (
            windows,
            [5, 5, 5, 5, 5],
            &[("sessions-denied", Severity::Failure)],
        ),
        (
            None,
            [5, 5, 5, 5, 5],
            &[("sessions-denied", Severity::Failure)],
        ),
        (
            windows,
            [50, 50, 50, 50, 50],
            &[("no-session-levels", Severity::Failure)],
        ),
        (
            windows,
            [0, 87, 0, 0, 0],
            &[("level-failed", Severity::Warning)],
        ),
        (
            samba,
            [0, 0, 124, 124, 1733],
            &[
                ("levels-unknown", Severity::Note),
                ("samba-ends-connections", Severity::Note),
            ],
        ),
        (
            samba,
            [5, 5, 124, 124, 124],
            &[("sessions-denied-by-samba", Severity::Failure)],
        ),
    ] {
        let found = of(&bound(software, levels));
        let found: Vec<_> = found.iter().map(|f| (f.id, f.severity)).collect();
        assert_eq!(found, expected, "{software:?} {levels:?}");
    }
}

#[test]
fn sentences_name_the_levels_and_the_remedy() {
    let text = of(&bound(Some(Software::WindowsLike), [0, 5, 5, 0, 5]))
        .remove(0)
        .text;
    assert!(
        text.starts_with(
            "Sessions can be listed at levels 0 and 10; levels 1, 2 and 502 are denied"
        ),
        "{text}"
    );
    assert!(text.contains("SrvsvcSessionInfo"), "{text}");
    let text = only(&bound(Some(Software::Samba), [5; 5])).text;
    for word in [
        "alice",
        "S-1-5-32-544",
        "net groupmap add",
        "net groupmap list",
    ] {
        assert!(text.contains(word), "{text}");
    }
    assert!(
        !text.contains("SrvsvcSessionInfo"),
        "Samba has none: {text}"
    );
}

#[test]
fn this_machine_has_its_own_remedy() {
    let mut here = bound(Some(Software::WindowsLike), [5; 5]);
    here.target = Target::this_machine();
    here.logon = None;
    here.user = None;
    let finding = only(&here);
    assert_eq!(finding.id, "sessions-denied-on-this-machine");
    assert!(finding.text.contains("administrators_group"));
}

#[test]
fn a_connection_that_breaks_is_not_a_missing_level() {
    let mut broken = bound(None, [0, 0, 0, 0, 0]);
    broken.levels.truncate(1);
    let lost = Error::smb("listing".to_owned(), smb_client::Error::TimedOut);
    broken.levels.push((SessionLevel::Info1, step(Err(lost))));
    assert_eq!(only(&broken).id, "call-broke-off");
}

#[test]
fn how_a_connection_fails() {
    let failed = |error| Connecting {
        address: "192.0.2.1:445".parse().unwrap(),
        step: step(Err(Error::smb("connecting".to_owned(), error))),
    };
    let io = |kind: io::ErrorKind| smb_client::Error::Connect(kind.into());
    for (error, id) in [
        (io(io::ErrorKind::ConnectionRefused), "port-closed"),
        (io(io::ErrorKind::HostUnreachable), "host-unreachable"),
        (io(io::ErrorKind::NetworkUnreachable), "host-unreachable"),
        (
            io(io::ErrorKind::AddrNotAvailable),
            "source-address-unusable",
        ),
        (io(io::ErrorKind::PermissionDenied), "not-connected"),
        (smb_client::Error::TimedOut, "port-filtered"),
    ] {
        let mut diagnosis = nothing(Target::parse("srv").unwrap());
        diagnosis.connections.push(failed(error));
        assert_eq!(only(&diagnosis).id, id);
        diagnosis.connections.push(Connecting {
            address: "192.0.2.2:445".parse().unwrap(),
            step: step(Ok(())),
        });
        let finding = only(&diagnosis);
        assert_eq!(
            (finding.id, finding.severity),
            ("some-addresses-fail", Severity::Warning)
        );
        assert!(finding.text.contains("192.0.2.1:445") && !finding.text.contains("192.0.2.2"));
    }
}

#[test]
fn every_refusal_of_an_account_has_its_own_name() {
    for (status, id) in [
        (0xC000_006D, "wrong-credentials"),
        (0xC000_0072, "account-disabled"),
        (0xC000_0234, "account-locked-out"),
        (0xC000_0071, "password-expired"),
        (0xC000_0224, "password-expired"),
        (0xC000_0193, "account-expired"),
        (0xC000_006F, "account-restricted"),
        (0xC000_015B, "network-logon-not-granted"),
        (0xC000_005E, "no-logon-servers"),
        (0xC000_0022, "logon-denied"),
        (0xC000_00E5, "logon-failed"),
    ] {
        let refusal = smb_client::Error::Status {
            command: Command::SESSION_SETUP,
            status: NtStatus(status),
        };
        let mut diagnosis = nothing(Target::parse("srv").unwrap());
        diagnosis.logon = Some(step(Err(Error::smb("logging on".to_owned(), refusal))));
        let finding = only(&diagnosis);
        assert_eq!((finding.id, finding.severity), (id, Severity::Failure));
        assert!(finding.text.contains("alice"), "{}", finding.text);
    }
}

/// Who gets as far as the bind has seen the pipe; who is denied has not been recognized.
#[test]
fn nothing_is_claimed_that_was_not_seen() {
    let refused = |kind, status| {
        let code = Some(Code::NetApiStatus(status));
        let mut diagnosis = nothing(Target::parse("srv").unwrap());
        let error = Error::new(kind, "binding".to_owned(), "bind_nak".to_owned(), code);
        diagnosis.binding = Some(step(Err(error)));
        only(&diagnosis).id
    };
    assert_eq!(refused(ErrorKind::Unreachable, 1722), "no-srvsvc-pipe");
    assert_eq!(refused(ErrorKind::Refused, 1722), "binding-failed");
    assert_eq!(refused(ErrorKind::Refused, 1717), "no-srvsvc-interface");

    let mut denied = nothing(Target::parse("srv").unwrap());
    for error in [
        smb_client::Error::Status {
            command: Command::SESSION_SETUP,
            status: NtStatus::ACCESS_DENIED,
        },
        smb_client::Error::Downgraded("the guest account"),
    ] {
        denied.logon = Some(step(Err(Error::smb("logging on".to_owned(), error))));
        let text = only(&denied).text;
        assert!(!text.contains("know"), "{text}");
    }
}

#[test]
fn what_a_server_looks_like() {
    for (platform_id, server_type, comment, software) in [
        (500, 0x9003, "", Some(Software::WindowsLike)),
        // smbd 4.17 as it is, and with another comment.
        (
            500,
            0x0080_9A03,
            "Samba 4.17.12-Debian",
            Some(Software::Samba),
        ),
        (500, 0x0080_9A03, "files", Some(Software::Samba)),
        (500, 0x9003, "Samba 5", Some(Software::Samba)),
        (400, 0, "", None),
    ] {
        let mut diagnosis = nothing(Target::parse("srv").unwrap());
        let info = ServerInfo {
            platform_id,
            server_type,
            comment: comment.to_owned(),
            ..ServerInfo::default()
        };
        diagnosis.server_info.push((101, step(Ok(info))));
        assert_eq!(procedure::software(&diagnosis), software, "{comment}");
    }
}

/// A port that takes connections and says nothing: what came before is told, and where it
/// ended.
#[tokio::test]
async fn what_was_found_until_the_limit_is_told() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::parse(&silent.local_addr().unwrap().to_string()).unwrap();
    let credentials = Credentials::parse("alice%secret").unwrap();
    let limit = Duration::from_millis(300);
    let diagnosis = diagnose_within(limit, &target, &credentials, &Options::default()).await;
    assert_eq!(diagnosis.cut_off, Some(limit));
    assert!(diagnosis.connections[0].step.result.is_ok());
    let finding = only(&diagnosis);
    assert_eq!(finding.id, "limit-over");
    assert_eq!(finding.severity, Severity::Failure);
    assert!(
        finding
            .text
            .contains("0.3 s was over during the negotiation"),
        "{}",
        finding.text
    );
}
