//! [`Report`]: what a run has found, line by line and summed up.

use std::collections::BTreeMap;

use netsession_tests::Kind;

use super::list::{Row, Verdict};
use super::smbtorture::Outcome;

/// From here on a line says how long a test took.
const WORTH_SAYING: u64 = 5;

/// The outcomes of a run.
pub struct Report {
    /// Which server was asked.
    pub kind: Kind,
    /// By position in the list.
    pub outcomes: BTreeMap<usize, Outcome>,
    disappointing: Vec<usize>,
    lines: usize,
}

impl Report {
    /// Of nothing yet.
    pub fn new(kind: Kind) -> Self {
        Report {
            kind,
            outcomes: BTreeMap::new(),
            disappointing: Vec::new(),
            lines: 0,
        }
    }

    /// Prints and keeps the outcome of a test.
    pub fn add(&mut self, index: usize, row: &Row, outcome: Outcome) {
        self.lines += 1;
        let expected = self.expected(row);
        println!("{}", line(self.lines, row, expected, &outcome));
        if expected == Verdict::Pass && outcome.verdict != Verdict::Pass {
            self.disappointing.push(index);
        }
        self.outcomes.insert(index, outcome);
    }

    /// Keeps the outcome of a second try instead of that of the first.
    pub fn replace(&mut self, index: usize, row: &Row, outcome: Outcome) {
        let passed = outcome.verdict == Verdict::Pass;
        let word = if passed {
            "passes alone"
        } else {
            "no longer passes"
        };
        println!("# {}: {word}  {}", row.name(), outcome.reason);
        if passed {
            self.disappointing.retain(|&other| other != index);
        }
        self.outcomes.insert(index, outcome);
    }

    /// The tests that were expected to pass and do not, in the order of the list.
    pub fn disappointing(&self) -> Vec<usize> {
        let mut sorted = self.disappointing.clone();
        sorted.sort_unstable();
        sorted
    }

    /// Prints a line for each suite, and the sum.
    pub fn totals(&self, rows: &[Row]) {
        let mut suites: Vec<Total> = Vec::new();
        let mut all = Total::of("together");
        for (&index, outcome) in &self.outcomes {
            let row = &rows[index];
            if suites.last().is_none_or(|total| total.suite != row.suite) {
                suites.push(Total::of(&row.suite));
            }
            if let Some(total) = suites.last_mut() {
                total.count(row, outcome);
            }
            all.count(row, outcome);
        }
        println!();
        for total in suites.iter().chain([&all]) {
            println!("# {}", total.line());
        }
    }

    fn expected(&self, row: &Row) -> Verdict {
        match self.kind {
            Kind::Netsession => row.ours,
            Kind::Samba => row.samba,
        }
    }
}

/// What a suite comes to.
struct Total {
    suite: String,
    tests: usize,
    ours: usize,
    samba: usize,
    both: usize,
}

impl Total {
    fn of(suite: &str) -> Self {
        Total {
            suite: suite.to_owned(),
            tests: 0,
            ours: 0,
            samba: 0,
            both: 0,
        }
    }

    fn count(&mut self, row: &Row, outcome: &Outcome) {
        let ours = outcome.verdict == Verdict::Pass;
        let samba = row.samba == Verdict::Pass;
        self.tests += 1;
        self.ours += usize::from(ours);
        self.samba += usize::from(samba);
        self.both += usize::from(ours && samba);
    }

    fn line(&self) -> String {
        let of = |count: usize| format!("{count}/{}", self.tests);
        let (suite, ours, samba) = (&self.suite, of(self.ours), of(self.samba));
        let missing = match self.samba - self.both {
            0 => String::new(),
            count => format!("  {count} that Samba passes are missing"),
        };
        format!("{suite:<28} ours {ours:<8} samba {samba:<8}{missing}")
            .trim_end()
            .to_owned()
    }
}

/// A line in the manner of TAP: a test that is not expected to pass has the directive TODO.
fn line(number: usize, row: &Row, expected: Verdict, outcome: &Outcome) -> String {
    let name = row.name();
    let mut line = match (outcome.verdict, expected) {
        (Verdict::Pass, Verdict::Pass) => format!("ok {number} - {name}"),
        (Verdict::Pass, _) => format!("ok {number} - {name} # TODO newly passes"),
        (Verdict::Skip, Verdict::Pass) => {
            format!("not ok {number} - {name} # no longer passes: it skips itself")
        }
        (Verdict::Skip, _) => format!("ok {number} - {name} # SKIP {}", outcome.reason),
        (Verdict::Fail, Verdict::Pass) => {
            format!(
                "not ok {number} - {name} # no longer passes: {}",
                outcome.reason
            )
        }
        (Verdict::Fail, _) => format!("not ok {number} - {name} # TODO {}", outcome.reason),
    };
    let seconds = outcome.took.as_secs();
    if seconds >= WORTH_SAYING {
        line += &format!(" ({seconds} s)");
    }
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(ours: Verdict) -> Row {
        Row {
            suite: "smb2.lock".to_owned(),
            test: "contend".to_owned(),
            samba: Verdict::Pass,
            ours,
            note: String::new(),
        }
    }

    fn outcome(verdict: Verdict, reason: &str) -> Outcome {
        Outcome {
            verdict,
            reason: reason.to_owned(),
            took: Duration::from_secs(1),
        }
    }

    #[test]
    fn lines() {
        let line = |expected, verdict, reason| {
            line(7, &row(expected), expected, &outcome(verdict, reason))
        };
        use Verdict::{Fail, Pass, Skip};
        assert_eq!(line(Pass, Pass, ""), "ok 7 - smb2.lock.contend");
        assert_eq!(
            line(Fail, Pass, ""),
            "ok 7 - smb2.lock.contend # TODO newly passes"
        );
        assert_eq!(
            line(Pass, Fail, "wrong"),
            "not ok 7 - smb2.lock.contend # no longer passes: wrong"
        );
        assert_eq!(
            line(Fail, Fail, "wrong"),
            "not ok 7 - smb2.lock.contend # TODO wrong"
        );
        assert_eq!(
            line(Skip, Skip, "no need"),
            "ok 7 - smb2.lock.contend # SKIP no need"
        );
    }

    #[test]
    fn a_second_try_counts() {
        let mut report = Report::new(Kind::Netsession);
        let row = row(Verdict::Pass);
        report.add(0, &row, outcome(Verdict::Fail, "late"));
        assert_eq!(report.disappointing(), [0]);
        report.replace(0, &row, outcome(Verdict::Pass, ""));
        assert!(report.disappointing().is_empty());
        assert_eq!(report.outcomes[&0].verdict, Verdict::Pass);
    }

    #[test]
    fn totals() {
        let mut total = Total::of("smb2.lock");
        total.count(&row(Verdict::Pass), &outcome(Verdict::Pass, ""));
        total.count(&row(Verdict::Fail), &outcome(Verdict::Fail, "wrong"));
        assert_eq!(
            total.line(),
            "smb2.lock                    ours 1/2      samba 2/2       1 that Samba passes are missing"
        );
    }
}
