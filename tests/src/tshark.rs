//! What Wireshark's tshark makes of a recording.

use std::path::Path;
use std::process::Command;

use crate::client::LONG;
use crate::program;
use crate::recording::SMB_PORT;

/// A packet with SMB2 in it, or one about which tshark has something to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the recording.
    pub number: u64,
    /// The server sent it.
    pub from_server: bool,
    /// Command of each message in it.
    pub commands: Vec<u16>,
    /// Status of each message in it that has one.
    pub statuses: Vec<u32>,
    /// The protocols in it, from the outside to the inside: `ip:tcp:nbss:smb2`.
    pub protocols: String,
    /// tshark could not decode all of it, or found a mistake.
    pub is_wrong: bool,
    /// tshark's line for it, and what it found remarkable.
    pub said: String,
}

/// What to print of each packet; the last may have any characters.
const FIELDS: &[&str] = &[
    "frame.number",
    "tcp.srcport",
    "smb2.cmd",
    "smb2.nt_status",
    "frame.protocols",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.col.Info",
    "_ws.expert.message",
];

/// [`Frame`]s of the recording in `file`.
#[track_caller]
pub fn decode(file: &Path) -> Vec<Frame> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file);
    // The Lua that Debian's tshark brings warns root on standard error; its settings are nobody's.
    command.env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8");
    command.args([
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let finished = program::run(&mut command, LONG).succeeded();
    finished.stdout.lines().map(frame).collect()
}

fn frame(line: &str) -> Frame {
    /// Expert information of this severity and above is a mistake.
    const ERROR: u32 = 0x0080_0000;
    let fields: Vec<&str> = line.split('\t').collect();
    let field = |name: &str| {
        let at = FIELDS.iter().position(|field| *field == name);
        at.and_then(|at| fields.get(at).copied())
            .unwrap_or_default()
    };
    let numbers = |name: &str| {
        let words = field(name).split(',').filter(|word| !word.is_empty());
        words.map(number).collect::<Vec<_>>()
    };
    let severe = numbers("_ws.expert.severity")
        .into_iter()
        .any(|severity| severity >= ERROR);
    Frame {
        number: field("frame.number").parse().unwrap_or_default(),
        from_server: field("tcp.srcport") == SMB_PORT.to_string(),
        commands: numbers("smb2.cmd")
            .into_iter()
            .filter_map(|command| u16::try_from(command).ok())
            .collect(),
        statuses: numbers("smb2.nt_status"),
        protocols: field("frame.protocols").to_owned(),
        is_wrong: severe || !field("_ws.malformed").is_empty(),
        said: format!("{} {}", field("_ws.col.Info"), field("_ws.expert.message")),
    }
}

/// A number as tshark prints it: decimal, or hexadecimal with `0x`.
fn number(word: &str) -> u32 {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).unwrap_or_default(),
        None => word.parse().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line = "650\t445\t5,16\t0x00000000,0x80000005\tip:tcp:nbss:smb2\t_ws.malformed\t8388608\tGetInfo\tMalformed, it is";
        let expected = Frame {
            number: 650,
            from_server: true,
            commands: vec![5, 16],
            statuses: vec![0, 0x8000_0005],
            protocols: "ip:tcp:nbss:smb2".to_owned(),
            is_wrong: true,
            said: "GetInfo Malformed, it is".to_owned(),
        };
        assert_eq!(frame(line), expected);
        let quiet = frame("1\t40000\t\t\tip:tcp\t\t2097152\tSYN\tConnection");
        assert!(!quiet.is_wrong && !quiet.from_server && quiet.commands.is_empty());
        assert!(frame("1\t445\t\t\tip\t\t2097152,8388608\t\t").is_wrong);
    }
}
