//! An answer held against what was expected.

use super::{Expected, Which};
use crate::call::{Answer, Call, Row, bare, members, number, status};
use crate::scene::{Age, CALLER, HELD, Held, Place};

/// smbd, in the first second of a session.
const UNDERFLOW: u32 = u32::MAX;

/// `Ok` if the answer is what it should be.
pub fn check(
    place: Place,
    age: Age,
    is_command_line: bool,
    call: &Call,
    expected: Expected,
    answer: &Answer,
) -> Result<(), String> {
    if answer.status != expected.status {
        return Err(format!(
            "status {} where {} was expected",
            answer.status, expected.status
        ));
    }
    let (Call::Enum { level, .. } | Call::GetInfo { level, .. }) = call else {
        return nothing(answer);
    };
    if matches!(expected.which, Which::None) {
        return nothing(answer);
    }
    let spelling = Spelling {
        place,
        level: *level,
        is_command_line,
    };
    for row in &answer.rows {
        complete(&spelling, row, age)?;
    }
    let is_caller = |row: &&Row| bare(row) == CALLER;
    let (own, others): (Vec<&Row>, Vec<&Row>) = answer.rows.iter().partition(is_caller);
    callers(&spelling, expected.which, &own)?;
    rows(&spelling, expected.which, &others)?;
    if let Call::Enum { .. } = call {
        counts(place, answer)?;
    }
    Ok(())
}

fn nothing(answer: &Answer) -> Result<(), String> {
    let counted = answer.entries.unwrap_or(0) + answer.total.unwrap_or(0);
    match answer.rows.is_empty() && counted == 0 {
        true => Ok(()),
        false => Err("entries where none were expected".to_owned()),
    }
}

/// entriesread, totalentries and the handle of an answer that has everything.
fn counts(place: Place, answer: &Answer) -> Result<(), String> {
    let rows = answer.rows.len();
    let wrong = |what, found| Err(format!("{what} {found:?} where there are {rows}"));
    if answer
        .entries
        .is_some_and(|entries| entries as usize != rows)
    {
        return wrong("entriesread", answer.entries);
    }
    if answer.total.is_some_and(|total| total as usize != rows) {
        return wrong("totalentries", answer.total);
    }
    // smbd leaves the count in the handle.
    if place != Place::Samba && answer.resume.is_some_and(|handle| handle != 0) {
        return Err(format!("resume handle {:?} behind the end", answer.resume));
    }
    Ok(())
}

struct Spelling {
    place: Place,
    level: u32,
    is_command_line: bool,
}

impl Spelling {
    /// `\\` at every level but 502, as Windows does; Samba and the command line show names
    /// bare.
    fn cname(&self, client: &str) -> String {
        let is_bare = self.is_command_line || self.place == Place::Samba || self.level == 502;
        format!("{}{client}", if is_bare { "" } else { r"\\" })
    }

    /// The members of a row that the scene decides.
    fn fits(&self, row: &Row, held: &Held) -> bool {
        let has = |member: &str, value: &str| row.get(member).is_none_or(|found| found == value);
        has("cname", &self.cname(held.client))
            && has("username", held.user)
            && has("num_opens", &held.opens.to_string())
    }
}

/// Every member of the level and no other, each within its bounds.
fn complete(spelling: &Spelling, row: &Row, age: Age) -> Result<(), String> {
    let mut expected = members(spelling.level).to_vec();
    expected.sort_unstable();
    if row.keys().map(String::as_str).ne(expected) {
        return Err(format!(
            "not the members of level {}: {row:?}",
            spelling.level
        ));
    }
    for (member, value) in [
        ("user_flags", "0"),
        ("cltype_name", ""),
        ("transport", r"\Device\NetbiosSmb"),
    ] {
        if row.get(member).is_some_and(|found| found != value) {
            return Err(format!("{member} is not `{value}`: {row:?}"));
        }
    }
    if row.contains_key("time") {
        times(spelling, row, age)?;
    }
    Ok(())
}

fn times(spelling: &Spelling, row: &Row, age: Age) -> Result<(), String> {
    let (time, idle) = (number(row, "time"), number(row, "idle_time"));
    if spelling.place == Place::Samba && time == UNDERFLOW {
        return Ok(());
    }
    let least = match spelling.place {
        // The caller's session has just begun.
        _ if bare(row) == CALLER => 0,
        // smbd rounds the beginning to the nearest second and cuts the present off: up to a
        // second and a half are missing. Hence the underflow, too.
        Place::Samba => age.least.saturating_sub(1),
        Place::Ours | Place::ThisMachine => age.least,
    };
    let least_idle = match spelling.place {
        Place::Samba => 0,
        Place::Ours | Place::ThisMachine => least,
    };
    let most_idle = match spelling.place {
        Place::Samba => 0,
        Place::Ours | Place::ThisMachine => time,
    };
    if !(least..=age.most).contains(&time) || !(least_idle..=most_idle).contains(&idle) {
        return Err(format!(
            "time not within {least}–{} s or idle_time not within {least_idle}–{most_idle} s: {row:?}",
            age.most
        ));
    }
    Ok(())
}

/// The session of whoever asks. One that has just ended may still be there.
fn callers(spelling: &Spelling, which: Which, own: &[&Row]) -> Result<(), String> {
    let expected = matches!(which, Which::AllAndCaller) && spelling.place != Place::ThisMachine;
    if expected == own.is_empty() {
        return Err(format!("the caller's session: {own:?}"));
    }
    for row in own {
        let is_admin = row.get("username").is_none_or(|user| user == "admin");
        if !is_admin || row["cname"] != spelling.cname(CALLER) {
            return Err(format!("not the caller's session: {row:?}"));
        }
    }
    // Its pipe is open; of sessions that have just ended nothing is.
    if spelling.place == Place::Ours
        && let Some(last) = own.last()
        && last.get("num_opens").is_some_and(|opens| opens != "1")
    {
        return Err(format!("the caller's pipe is open: {last:?}"));
    }
    Ok(())
}

fn rows(spelling: &Spelling, which: Which, found: &[&Row]) -> Result<(), String> {
    let passing = |passes: fn(&Held) -> bool| HELD.iter().filter(move |held| passes(held));
    let expected: Vec<&Held> = match which {
        Which::None => Vec::new(),
        Which::AllAndCaller => HELD.iter().collect(),
        Which::All(passes) => passing(passes).collect(),
        Which::First(passes) => passing(passes).take(1).collect(),
        Which::Any(passes) => {
            let [row] = found else {
                return Err("not one entry".to_owned());
            };
            return match passing(passes).any(|held| spelling.fits(row, held)) {
                true => Ok(()),
                false => Err("not one of the sessions that pass".to_owned()),
            };
        }
    };
    if found.len() != expected.len() {
        return Err(format!(
            "{} entries where {} were expected",
            found.len(),
            expected.len()
        ));
    }
    match spelling.place {
        // Oldest first.
        Place::Ours | Place::ThisMachine => {
            match found
                .iter()
                .zip(&expected)
                .find(|(row, held)| !spelling.fits(row, held))
            {
                None => Ok(()),
                Some((row, held)) => Err(format!("{row:?} where {held:?} was expected")),
            }
        }
        // In any order.
        Place::Samba => {
            let mut left = expected;
            for row in found {
                match left.iter().position(|held| spelling.fits(row, held)) {
                    Some(place) => drop(left.swap_remove(place)),
                    None => return Err(format!("{row:?} was not expected")),
                }
            }
            Ok(())
        }
    }
}

/// The judge itself: each wrong answer is found.
mod tests {
    use super::*;

    fn row(client: &str, user: &str, opens: u32, time: u32, idle: u32) -> Row {
        [
            ("cname", format!(r"\\{client}")),
            ("username", user.to_owned()),
            ("num_opens", opens.to_string()),
            ("time", time.to_string()),
            ("idle_time", idle.to_string()),
            ("user_flags", "0".to_owned()),
        ]
        .map(|(member, value)| (member.to_owned(), value))
        .into()
    }

    fn right() -> Answer {
        let mut rows: Vec<Row> = HELD
            .iter()
            .map(|held| row(held.client, held.user, held.opens, 5, 5))
            .collect();
        rows.push(row(CALLER, "admin", 1, 0, 0));
        Answer {
            status: status::SUCCESS,
            entries: Some(6),
            total: Some(6),
            resume: Some(0),
            rows,
            said: String::new(),
        }
    }

    fn judged(answer: &Answer) -> Result<(), String> {
        let expected = Expected::these(Which::AllAndCaller);
        let age = Age { least: 4, most: 6 };
        let call = Call::all(None, None, 1);
        check(Place::Ours, age, false, &call, expected, answer)
    }

    #[test]
    fn what_is_right_passes() {
        assert_eq!(judged(&right()), Ok(()));
    }

    #[test]
    fn what_is_wrong_does_not() {
        let wrong: [fn(&mut Answer); 14] = [
            |answer| answer.status = status::MORE_DATA,
            |answer| answer.entries = Some(5),
            |answer| answer.total = Some(7),
            |answer| answer.resume = Some(1),
            |answer| drop(answer.rows.pop()),
            |answer| drop(answer.rows.remove(0)),
            |answer| answer.rows.swap(0, 1),
            |answer| answer.rows[0] = row("127.0.0.2", "alice", 2, 5, 5),
            |answer| answer.rows[0] = row("127.0.0.2", "alice", 3, 3, 3),
            |answer| answer.rows[0] = row("127.0.0.2", "alice", 3, 7, 5),
            |answer| answer.rows[0] = row("127.0.0.2", "alice", 3, 5, 0),
            |answer| drop(answer.rows[0].insert("cname".into(), "127.0.0.2".into())),
            |answer| drop(answer.rows[0].remove("user_flags")),
            |answer| drop(answer.rows[0].insert("transport".into(), String::new())),
        ];
        for (number, spoil) in wrong.iter().enumerate() {
            let mut answer = right();
            spoil(&mut answer);
            assert!(judged(&answer).is_err(), "{number}: {answer:?}");
        }
    }
}
