use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::*;

const FULL: &str = r#"
listen = ["127.0.0.1:4445", "::1", "[fe80::1]", "192.0.2.1"]
data_dir = "/srv/state"
server_name = "files-1"
comment = "Our files"
signing = "enabled"
encryption = "required"
min_dialect = "3.0"
max_dialect = "3.0.2"
local_socket = "run/local.sock"
administrators_group = "wheel"

[limits]
connections = 100
session_lifetime_seconds = 36000

[[share]]
name = "Data"
path = "data"
read_only = true
encrypt = true
comment = "read, only"
max_uses = 5

[[share]]
name = "home, sweet"
path = "/home"
"#;

fn parse(text: &str) -> Result<Overrides, ConfigError> {
    Overrides::from_toml(text, Path::new("/etc/netsession/config.toml"))
}

fn share(text: &str) -> ShareSpec {
    ShareSpec::parse(text).unwrap()
}

#[test]
fn a_full_file_is_read() {
    let text = FULL.replace("home, sweet", "home");
    let config = ServeConfig::resolve(parse(&text).unwrap()).unwrap();
    let listen: Vec<_> = config.listen.iter().map(ToString::to_string).collect();
    assert_eq!(
        listen,
        [
            "127.0.0.1:4445",
            "[::1]:445",
            "[fe80::1]:445",
            "192.0.2.1:445"
        ]
    );
    assert_eq!(config.data_dir, Path::new("/srv/state"));
    assert_eq!(config.server_name.as_str(), "FILES-1");
    assert_eq!(config.comment, "Our files");
    assert_eq!(
        (config.signing, config.encryption),
        (Signing::Enabled, Encryption::Required)
    );
    assert_eq!(
        (config.min_dialect.revision(), config.max_dialect.revision()),
        (0x300, 0x302)
    );
    let socket = PathBuf::from("/etc/netsession/run/local.sock");
    assert_eq!(config.local_socket, LocalSocket::At(socket));
    assert_eq!(config.administrators_group.as_deref(), Some("wheel"));
    assert_eq!(config.limits.connections.unwrap().get(), 100);
    let [data, home] = &config.shares[..] else {
        panic!()
    };
    assert_eq!(
        (data.name(), &*data.path),
        ("Data", Path::new("/etc/netsession/data"))
    );
    assert!(data.read_only && data.encrypt);
    assert_eq!((&*data.comment, data.max_uses), ("read, only", Some(5)));
    assert_eq!((home.name(), &*home.path), ("home", Path::new("/home")));
    assert!(!home.read_only && !home.encrypt && home.max_uses.is_none());
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = ServeConfig::resolve(parse("").unwrap()).unwrap();
    assert_eq!(
        (config.signing, config.encryption),
        (Signing::Required, Encryption::Desired)
    );
    assert_eq!(config.min_dialect, Dialect::SMB_2_0_2);
    assert_eq!(config.max_dialect, Dialect::SMB_3_1_1);
    assert_eq!(config.local_socket, LocalSocket::Usual);
    assert_eq!(config.administrators_group, None);
    assert!(config.listen.is_empty() && config.shares.is_empty());
}

#[test]
fn problems_name_the_file_the_line_and_what_is_allowed() {
    for (text, line, expected) in [
        (
            "\nlistn = []",
            2,
            "unknown field `listn`, expected one of `listen`",
        ),
        (
            "listen = [\n \"127.0.0.1:1\",\n \"localhost\"\n]",
            3,
            "address:port",
        ),
        ("signing = \"off\"", 1, "required, enabled"),
        ("\n\nencryption = \"on\"", 3, "off, desired, required"),
        ("min_dialect = \"1.0\"", 1, "2.0.2, 2.1, 3.0, 3.0.2, 3.1.1"),
        ("server_name = \"much-too-long-name\"", 1, "1 to 15"),
        ("[limits]\nconnections = 0", 2, "nonzero"),
        ("[limits]\nconections = 1", 2, "unknown field"),
        ("[[share]]\nname = \"a\"", 1, "missing field `path`"),
        (
            "[[share]]\nname = \"a/b\"\npath = \"/\"",
            2,
            "characters other than",
        ),
        ("[[share]]\nname = \"ipc$\"\npath = \"/\"", 2, "reserved"),
        ("[[share]]\nname = \"a\"\npath = \"\"", 2, "no path"),
        (
            "[[share]]\nname = \"a\"\npath = \"/\"\nro = true",
            4,
            "unknown field `ro`",
        ),
        (
            "[[share]]\nname='a'\npath='/'\n[[share]]\nname='A'\npath='/'",
            5,
            "second share",
        ),
        ("listen = \"127.0.0.1\"", 1, "sequence"),
        ("comment = ", 1, ""),
    ] {
        let error = parse(text).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("/etc/netsession/config.toml:{line}: ")),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
    assert!(
        parse(FULL)
            .unwrap_err()
            .to_string()
            .contains(":26: share name \"home, sweet\"")
    );
}

#[test]
fn flags_come_before_environment_before_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let text = "comment = 'file'\nserver_name = 'file'\nsigning = 'enabled'\n\
                [[share]]\nname = 'a'\npath = '/file'\n[[share]]\nname = 'b'\npath = '/file'\n";
    std::fs::write(&path, text).unwrap();
    let environment = |name: &str| match name {
        "NETSESSION_COMMENT" => Some(OsString::from("environment")),
        "NETSESSION_SERVER_NAME" => Some(OsString::from("environment")),
        "NETSESSION_SHARES" => Some(OsString::from("B=/environment,ro; c=/environment;")),
        "NETSESSION_LISTEN" => Some(OsString::from("127.0.0.1, ::1")),
        "NETSESSION_SIGNING" => Some(OsString::new()),
        _ => None,
    };
    let flags = Overrides {
        comment: Some("flags".to_owned()),
        shares: vec![share("C=/flags")],
        ..Overrides::default()
    };
    let config = ServeConfig::load(flags, environment, Some(&path)).unwrap();
    assert_eq!(config.comment, "flags");
    assert_eq!(config.server_name.as_str(), "ENVIRONMENT");
    assert_eq!(config.signing, Signing::Enabled);
    assert_eq!(config.listen.len(), 2);
    let shares: Vec<_> = config
        .shares
        .iter()
        .map(|s| (s.name(), s.path.to_str().unwrap()))
        .collect();
    assert_eq!(
        shares,
        [("a", "/file"), ("B", "/environment"), ("C", "/flags")]
    );
}

#[test]
fn the_local_socket_is_a_path_or_off() {
    let load = |flag: Option<&str>, variable: Option<&'static str>, file: &str| {
        let environment = Overrides::from_environment(|name| {
            let value = variable.filter(|_| name == "NETSESSION_LOCAL_SOCKET");
            value.map(OsString::from)
        });
        let flags = Overrides {
            local_socket: flag.map(|text| OsString::from(text).into()),
            ..Overrides::default()
        };
        let over = flags.over(environment.unwrap()).over(parse(file).unwrap());
        ServeConfig::resolve(over).unwrap().local_socket
    };
    let at = |path: &str| LocalSocket::At(path.into());
    assert_eq!(load(None, None, ""), LocalSocket::Usual);
    assert_eq!(load(None, Some(""), ""), LocalSocket::Usual);
    assert_eq!(load(None, None, "local_socket = 'off'"), LocalSocket::Off);
    let file = "local_socket = '/run/a'";
    assert_eq!(load(None, None, file), at("/run/a"));
    assert_eq!(load(None, Some("off"), file), LocalSocket::Off);
    assert_eq!(load(Some("b"), Some("off"), file), at("b"));
    let group = |name: &str| {
        let is_asked = name == "NETSESSION_ADMINISTRATORS_GROUP";
        is_asked.then(|| OsString::from("staff"))
    };
    let overrides = Overrides::from_environment(group).unwrap();
    assert_eq!(overrides.administrators_group.as_deref(), Some("staff"));
}

#[test]
fn environment_problems_name_the_variable() {
    let bad = |name: &'static str, value: &'static str| {
        let lookup = |asked: &str| (asked == name).then(|| OsString::from(value));
        Overrides::from_environment(lookup).unwrap_err().to_string()
    };
    assert_eq!(
        bad("NETSESSION_SIGNING", "off"),
        "environment variable NETSESSION_SIGNING: \"off\" is not one of: required, enabled"
    );
    assert!(bad("NETSESSION_SHARES", "data").contains("NAME=PATH"));
    assert!(bad("NETSESSION_LISTEN", "127.0.0.1,x").contains("\"x\""));
}

#[test]
fn contradictions_are_refused() {
    let resolve = |text: &str| {
        ServeConfig::resolve(parse(text).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert!(resolve("min_dialect = '3.0'\nmax_dialect = '2.1'").contains("3.0 is above"));
    assert!(resolve("max_dialect = '2.1'\nencryption = 'required'").contains("by `encryption`"));
    let text = "max_dialect = '2.1'\n[[share]]\nname = 'x'\npath = '/'\nencrypt = true";
    assert!(resolve(text).contains("by the share \"x\""));
    let twice = Overrides {
        shares: vec![share("a=/x"), share("A=/y")],
        ..Overrides::default()
    };
    assert!(matches!(
        ServeConfig::resolve(twice),
        Err(ConfigError::DuplicateShare(_))
    ));
}

#[test]
fn share_specifications() {
    let full = share("data=/srv/data,ro,encrypt,max_uses=7,comment=a, b=c");
    assert_eq!((full.name(), &*full.path), ("data", Path::new("/srv/data")));
    assert!(full.read_only && full.encrypt);
    assert_eq!((full.max_uses, &*full.comment), (Some(7), "a, b=c"));
    assert_eq!(share("x=/a=b").path, Path::new("/a=b"));
    for (text, expected) in [
        ("data", "expected NAME=PATH"),
        ("=/x", "share name \"\""),
        ("a:b=/x", "share name"),
        ("a=", "no path"),
        ("a=,ro", "no path"),
        ("a=/x,rw", "unknown option \"rw\""),
        ("a=/x,", "unknown option \"\""),
        ("a=/x,max_uses=0", "max_uses is \"0\""),
        ("a=/x,max_uses=4294967295", "max_uses"),
        ("a=/x,comment=\u{7}", "control characters"),
        ("IPC$=/x", "reserved"),
    ] {
        let message = ShareSpec::parse(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert!(ShareSpec::parse(&format!("{}=/x", "n".repeat(81))).is_err());
}

#[test]
fn state_directories() {
    let with = |pairs: &'static [(&str, &str)]| {
        move |name: &str| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| OsString::from(value))
        }
    };
    let user = |pairs| host::state_dir(false, with(pairs));
    assert_eq!(
        host::state_dir(true, with(&[])),
        PathBuf::from("/var/lib/netsession")
    );
    assert_eq!(
        user(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]),
        PathBuf::from("/s/netsession")
    );
    let home = PathBuf::from("/h/.local/state/netsession");
    assert_eq!(user(&[("HOME", "/h")]), home);
    assert_eq!(user(&[("XDG_STATE_HOME", "s"), ("HOME", "/h")]), home);
}

#[test]
fn server_names_come_from_host_names() {
    for (host, expected) in [
        ("filer.example.com\n", "FILER"),
        ("a-very-long-host-name", "A-VERY-LONG-HOS"),
        ("", "NETSESSION"),
        ("bad!", "NETSESSION"),
    ] {
        assert_eq!(host::server_name(host).as_str(), expected);
    }
}
