//! A difference as a script that a person can follow.

use std::fmt::Write as _;

use netsession_tests::Kind;

use crate::contest::Outcome;
use crate::step::Schedule;

/// The steps of `outcome` with what the servers said, then where they differ.
pub fn script(outcome: &Outcome, kinds: [Kind; 2]) -> String {
    let mut text = String::new();
    let names = names(kinds);
    let clients = clients(&outcome.schedule);
    let _ = writeln!(text, "  {clients}");
    for record in &outcome.records {
        let _ = writeln!(text, "  {}", record.text);
        let [left, right] = &record.said;
        for line in left {
            let side = match right.contains(line) {
                true => String::new(),
                false => format!("{}: ", names[0]),
            };
            let _ = writeln!(text, "      {side}{line}");
        }
        for line in right.iter().filter(|line| !left.contains(line)) {
            let _ = writeln!(text, "      {}: {line}", names[1]);
        }
    }
    for difference in &outcome.differences {
        let _ = writeln!(text, "  They differ at: {}", difference.step);
        for (name, lines) in names.iter().zip(&difference.only) {
            let lines = match lines.as_slice() {
                [] => "nothing".to_owned(),
                lines => lines.join(" | "),
            };
            let _ = writeln!(text, "    only {name}: {lines}");
        }
    }
    text
}

fn clients(schedule: &Schedule) -> String {
    let connections: Vec<String> = (schedule.clients.iter().enumerate())
        .map(|(client, connection)| format!("client {client} on connection {connection}"))
        .collect();
    connections.join(", ")
}

/// What the sides are called.
pub fn names(kinds: [Kind; 2]) -> [&'static str; 2] {
    match kinds {
        [Kind::Netsession, Kind::Samba] => ["netsession", "samba"],
        [Kind::Samba, Kind::Netsession] => ["samba", "netsession"],
        _ => ["first", "second"],
    }
}
