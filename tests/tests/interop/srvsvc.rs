//! The Server service as other people's tools see it ([MS-SRVS] 3.1.4).

use std::process::Command;

use netsession_tests::Subject;
use netsession_tests::client::{LONG, SHORT, hold, python, rpcclient};
use netsession_tests::program::run;
use netsession_tests::subject::{ADMIN, ALICE, BOB};

/// rpcclient prints this and nothing else of a result.
fn received(number: usize) -> String {
    format!("Received {number} entries.")
}

/// How `netsessenum` and `netsessdel` name the client: rpcclient takes a backslash before
/// another character away. It drops empty words too, so that a level can only be given
/// behind both filters.
const CLIENT: &str = r"\\\\127.0.0.1";

#[test]
fn rpcclient_lists_at_every_level() {
    let subject = Subject::start();
    // rpcclient's own session is the only one.
    rpcclient(&subject, ADMIN, "netsessenum")
        .succeeded()
        .says(&received(1));
    let levels: &[u32] = if subject.is_samba() {
        &[0, 1]
    } else {
        &[0, 1, 2, 10, 502]
    };
    for level in levels {
        rpcclient(
            &subject,
            ADMIN,
            &format!("netsessenum {CLIENT} admin {level}"),
        )
        .succeeded()
        .says(&format!("trying level: {level}"))
        .says(&received(1));
    }
    rpcclient(&subject, ADMIN, &format!("netsessenum {CLIENT} admin 3")).says("WERR_INVALID_LEVEL");
    for level in levels {
        rpcclient(
            &subject,
            ALICE,
            &format!("netsessenum {CLIENT} alice {level}"),
        )
        .says("WERR_ACCESS_DENIED");
    }
}

#[test]
fn rpcclient_filters_and_resumes() {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: Samba ignores both filters.
    }
    let list = |words: &str| rpcclient(&subject, ADMIN, &format!("netsessenum {words}"));
    let held = [hold(&subject, ALICE), hold(&subject, BOB)];
    list("").succeeded().says(&received(3));
    list(CLIENT).succeeded().says(&received(3));
    list(&format!("{CLIENT} bob"))
        .succeeded()
        .says(&received(1));
    list(&format!("{CLIENT} BOB 502"))
        .succeeded()
        .says(&received(1));
    list("127.0.0.1").says("WERR_NERR_INVALIDCOMPUTER");
    list(r"\\\\192.0.2.1").says("WERR_NERR_CLIENTNAMENOTFOUND");
    list(&format!("{CLIENT} nobody 10")).says("WERR_NERR_CLIENTNAMENOTFOUND");
    // Behind the first, the last and no session.
    list(&format!("{CLIENT} alice 10 0"))
        .succeeded()
        .says(&received(1));
    list(&format!("{CLIENT} alice 10 2147483647"))
        .succeeded()
        .says(&received(0));
    drop(held);
}

#[test]
fn rpcclient_ends_a_session() {
    let subject = Subject::start();
    if subject.is_samba() {
        return; // SKIPS.md: Samba ends all sessions of the process, and answers 5 for no match.
    }
    let (neighbour, held) = (hold(&subject, ALICE), hold(&subject, BOB));
    let command = format!("netsessdel {CLIENT} bob");
    rpcclient(&subject, BOB, &command).says("WERR_ACCESS_DENIED");
    rpcclient(&subject, ADMIN, "netsessenum")
        .succeeded()
        .says(&received(3));
    rpcclient(&subject, ADMIN, &command).succeeded();
    held.finish(SHORT).succeeded().says("ended: 0xc0000203");
    rpcclient(&subject, ADMIN, "netsessenum")
        .succeeded()
        .says(&received(2));
    rpcclient(&subject, ADMIN, &command).says("WERR_NERR_CLIENTNAMENOTFOUND");
    drop(neighbour);
}

#[test]
fn rpcclient_srvinfo_and_smbclient_list() {
    let subject = Subject::start();
    rpcclient(&subject, ALICE, "srvinfo")
        .succeeded()
        .says("platform_id")
        .says("server type");
    let said = run(
        Command::new("smbclient")
            .args(["--list", "127.0.0.1", "--port", &subject.port()])
            .args(["--user", &ALICE.credentials(), "--configfile", "/dev/null"]),
        SHORT,
    )
    .succeeded();
    let share = |name: &str, kind: &str| {
        assert!(
            said.stdout.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(name) && words.next() == Some(kind)
            }),
            "{name} {kind}: {said}"
        );
    };
    share("data", "Disk");
    share("docs", "Disk");
    share("IPC$", "IPC");
}

#[test]
fn smbtorture_session_enum() {
    let subject = Subject::start();
    let said = run(
        Command::new("smbtorture")
            .arg("ncacn_np:127.0.0.1")
            .args([
                "-p",
                &subject.port(),
                "-U",
                &ADMIN.credentials(),
                "-s",
                "/dev/null",
            ])
            .arg("--option=client min protocol=SMB2_02")
            .arg(format!("--basedir={}", subject.outside().display()))
            .arg("rpc.srvsvc.srvsvc (admin access).NetSessEnum"),
        LONG,
    )
    .succeeded();
    assert!(said.said("success: ") || said.said("ok "), "{said}");
}

fn impacket(case: &str, syntax: &str) {
    let subject = Subject::start();
    if subject.is_samba()
        && (syntax == "ndr64" || !matches!(case, "levels" | "fragments" | "neighbours"))
    {
        return; // SKIPS.md: Samba has no NDR64, ignores filters and page sizes, ends whole processes.
    }
    python(&subject, "srvsvc", &[case, syntax]).succeeded();
}

#[test]
fn impacket_levels() {
    impacket("levels", "ndr20");
}

#[test]
fn impacket_levels_in_ndr64() {
    impacket("levels", "ndr64");
}

#[test]
fn impacket_many_fragments() {
    impacket("fragments", "ndr20");
}

#[test]
fn impacket_many_fragments_in_ndr64() {
    impacket("fragments", "ndr64");
}

#[test]
fn impacket_filters() {
    impacket("filters", "ndr20");
}

#[test]
fn impacket_filters_in_ndr64() {
    impacket("filters", "ndr64");
}

#[test]
fn impacket_paging() {
    impacket("paging", "ndr20");
}

#[test]
fn impacket_paging_in_ndr64() {
    impacket("paging", "ndr64");
}

#[test]
fn impacket_codes() {
    impacket("codes", "ndr20");
}

#[test]
fn impacket_codes_in_ndr64() {
    impacket("codes", "ndr64");
}

#[test]
fn impacket_ending() {
    impacket("ending", "ndr20");
}

#[test]
fn impacket_ending_in_ndr64() {
    impacket("ending", "ndr64");
}

#[test]
fn impacket_ends_its_own_session() {
    impacket("own", "ndr20");
}

#[test]
fn impacket_ends_its_own_session_in_ndr64() {
    impacket("own", "ndr64");
}

#[test]
fn impacket_neighbours() {
    impacket("neighbours", "ndr20");
}

#[test]
fn impacket_neighbours_in_ndr64() {
    impacket("neighbours", "ndr64");
}
