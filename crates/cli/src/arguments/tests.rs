use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Command, clap::Error> {
    Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.command)
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn what_the_readme_types() {
    for line in [
        "netsession demo",
        "netsession account add alice --data-dir d --admin --password-stdin",
        "netsession account list --data-dir d",
        "netsession account passwd alice",
        "netsession account disable alice",
        "netsession account enable alice",
        "netsession account remove alice",
        "netsession serve --data-dir d --listen 127.0.0.1:1446 --share data=/srv/data --share docs=/srv/docs,ro",
        "netsession list srv",
        "netsession list",
        "netsession list srv1 srv2:446 @servers.txt @- --jobs 256 --deadline 10 --jsonl -q",
        "netsession list --local-socket /run/x.sock",
        "netsession list srv --format net",
        "netsession list srv --format smbsession",
        "netsession show --client c --user u --format net",
        "netsession end --client c --yes",
        "netsession end --user u --local-socket /run/x.sock",
        "netsession doctor",
        "netsession doctor srv --json",
        r"netsession list \\srv --client c --user u --level 502 -U DOM\admin%x --json",
        "netsession show srv --client c --user u --level 10",
        "netsession end srv --client c --dry-run",
        "netsession end srv --user u --yes",
        "netsession end srv --client c --user u",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn what_is_refused() {
    for line in [
        "netsession",
        "netsession list srv --level 7",
        "netsession list srv --json --csv",
        "netsession list srv --json --format json",
        "netsession list srv --format xml",
        "netsession list srv --jobs 0",
        "netsession list srv --jobs 10001",
        "netsession list srv --deadline 0",
        "netsession list srv --local-socket /run/x.sock",
        "netsession show a b --client c --user u",
        "netsession end a b --client c",
        "netsession end --yes",
        "netsession list srv --timeout 0",
        "netsession list srv --timeout nan",
        "netsession show srv --client c",
        "netsession end srv",
        "netsession end srv --yes",
        "netsession serve --listen nowhere",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn end_takes_both() {
    let Command::End(arguments) = parse("netsession end s --client c --user u -y").unwrap() else {
        panic!()
    };
    assert_eq!(
        (arguments.client.as_deref(), arguments.user.as_deref()),
        (Some("c"), Some("u"))
    );
    assert!(arguments.yes && !arguments.dry_run);
}

#[test]
fn end_without_a_server_is_this_machine() {
    let Command::End(arguments) = parse("netsession end --client c").unwrap() else {
        panic!()
    };
    assert_eq!(arguments.server, None);
    assert_eq!(arguments.client.as_deref(), Some("c"));
}

#[test]
fn a_format_has_a_short_name() {
    for (line, format) in [
        ("netsession list", Format::Table),
        ("netsession list --json", Format::Json),
        ("netsession list --format json", Format::Json),
        ("netsession list --jsonl", Format::Jsonl),
        ("netsession list --csv", Format::Csv),
        ("netsession list --plain", Format::Plain),
        ("netsession list --format net", Format::Net),
        ("netsession list --format smbsession", Format::Smbsession),
    ] {
        let Command::List(arguments) = parse(line).unwrap() else {
            panic!()
        };
        assert_eq!(arguments.format.chosen(), format, "{line}");
    }
}
