//! What `netsession` prints in the formats of others, and what its doctor finds.

use netsession_tests::client::{hold, netsession};
use netsession_tests::program::Finished;
use netsession_tests::subject::{ALICE, BOB, Kind};
use netsession_tests::{Options, Subject};
use serde_json::Value;

/// The parts of a line of `net session`, by the columns of its layout.
fn columns(line: &str) -> [&str; 5] {
    let part = |from: usize, to: usize| line.get(from..to.min(line.len())).unwrap_or("").trim();
    [
        part(0, 22),
        part(23, 43),
        part(44, 61),
        part(62, 67),
        part(68, 99),
    ]
}

#[test]
fn the_layout_of_net_session() {
    for kind in [Kind::Netsession, Kind::Samba] {
        let subject = Subject::of(kind, Options::default());
        let server = subject.host_and_port();
        let held = hold(&subject, BOB);
        let said = netsession(&["list", &server, "--format", "net"]).succeeded();
        let lines: Vec<&str> = said.stdout.lines().collect();
        assert_eq!(lines.len(), 6, "{said}");
        assert_eq!(
            columns(lines[0]),
            ["Computer", "User name", "Client Type", "Opens", "Idle time"],
            "{said}"
        );
        assert_eq!((lines[1], lines[2]), ("", &*"-".repeat(79)), "{said}");
        let bob = lines.iter().find(|line| line.contains("bob")).expect("bob");
        let [computer, user, client_type, opens, idle] = columns(bob);
        assert_eq!(
            (computer, user, client_type),
            (r"\\127.0.0.1", "bob", ""),
            "{said}"
        );
        assert!(
            opens.parse::<u32>().is_ok() && idle.starts_with("00:0"),
            "{said}"
        );
        assert_eq!(lines[5], "The command completed successfully.", "{said}");

        let said = netsession(&["list", &server, "--format", "net", "--user", "nobody"]);
        assert_eq!(
            said.succeeded().stdout,
            "There are no entries in the list.\n"
        );
        let show = ["show", &server, "--client", "127.0.0.1", "--user", "bob"];
        let said = netsession(&[&show[..], &["--format", "net"]].concat()).succeeded();
        assert!(said.stdout.contains("Guest logon     No\n"), "{said}");
        assert!(
            said.stdout
                .ends_with("\nThe command completed successfully.\n"),
            "{said}"
        );
        // Samba knows the connections of a share only.
        if kind == Kind::Netsession {
            assert!(
                said.stdout.contains("\nShare name     Type     # Opens\n"),
                "{said}"
            );
            assert!(
                said.stdout.contains("\ndata           Disk           1\n"),
                "{said}"
            );
        }
        drop(held);
    }
}

#[test]
fn the_names_of_get_smbsession() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let server = subject.host_and_port();
    let said = netsession(&["list", &server, "--format", "smbsession"]).succeeded();
    assert!(
        said.stdout.starts_with("ClientComputerName : 127.0.0.1\n"),
        "{said}"
    );
    for line in [
        "ClientUserName     : admin",
        "NumOpens           : 1",
        "SessionId          :",
        r"TransportName      : \Device\NetbiosSmb",
        &format!("PSComputerName     : {server}"),
    ] {
        assert!(
            said.stdout.lines().any(|said| said == line),
            "{line}: {said}"
        );
    }
}

#[test]
fn every_format_of_show() {
    let subject = Subject::of(Kind::Netsession, Options::default());
    let server = subject.host_and_port();
    let show = |format: &str| {
        let words = [
            "show",
            &server,
            "--client",
            "127.0.0.1",
            "--user",
            "admin",
            "--format",
        ];
        netsession(&[&words[..], &[format]].concat()).succeeded()
    };
    for (format, lines) in [("csv", 2), ("plain", 1), ("jsonl", 1), ("smbsession", 11)] {
        let said = show(format);
        assert_eq!(said.stdout.lines().count(), lines, "{said}");
    }
    let document: Value = serde_json::from_str(&show("json").stdout).expect("JSON");
    assert_eq!(document["sessions"][0]["user"], "admin");
}

fn doctor(server: &str, credentials: &str) -> (Finished, Value) {
    let words = ["doctor", server, "-U", credentials];
    let said = netsession(&[&words[..], &["--json"]].concat());
    let document = serde_json::from_str(&said.stdout).expect("JSON");
    let told = netsession(&words);
    assert_eq!(told.code, said.code, "{told}");
    (told, document)
}

#[test]
fn the_doctor_says_what_to_change() {
    for kind in [Kind::Netsession, Kind::Samba] {
        let subject = Subject::of(kind, Options::default());
        let server = subject.host_and_port();
        let (told, document) = doctor(&server, "admin%Adm1n.Pw");
        assert_eq!(told.code, Some(0), "{told}");
        assert_eq!(document["can_list"], true, "{document}");
        assert_eq!(document["found"]["dialect"], "3.1.1", "{document}");
        assert_eq!(
            document["found"]["own_session"]["user"], "admin",
            "{document}"
        );
        let levels = match kind {
            Kind::Samba => serde_json::json!([0, 1]),
            Kind::Netsession => serde_json::json!([0, 1, 2, 10, 502]),
        };
        assert_eq!(document["found"]["levels"], levels, "{document}");
        for words in [
            "SMB 3.1.1, signing AES-GMAC",
            "ok      level 1",
            "seen as      admin on ",
        ] {
            assert!(told.stdout.contains(words), "{words}: {told}");
        }
        assert!(!told.stdout.contains("FAILED"), "{told}");

        let (told, document) = doctor(&server, &ALICE.credentials());
        assert_eq!(told.code, Some(5), "{told}");
        assert_eq!(document["severity"], "failure", "{document}");
        let advice = match kind {
            Kind::Samba => "S-1-5-32-544",
            Kind::Netsession => "Administrators or Server Operators",
        };
        assert!(
            told.stdout.lines().last().expect("a line").contains(advice),
            "{told}"
        );

        let (told, document) = doctor(&server, "admin%wrong");
        assert_eq!(told.code, Some(4), "{told}");
        assert_eq!(document["can_list"], false, "{document}");
        let last = document["steps"]
            .as_array()
            .expect("steps")
            .last()
            .expect("a step");
        assert_eq!(
            (&last["step"], &last["ok"]),
            (&"logon".into(), &false.into()),
            "{document}"
        );
    }
    let (told, document) = doctor("no-such-host.invalid", "admin%x");
    assert_eq!(told.code, Some(3), "{told}");
    assert_eq!(
        document["steps"].as_array().map(Vec::len),
        Some(1),
        "{document}"
    );
}
