//! What was measured, and what it should have been.

use serde::{Deserialize, Serialize};

use super::statistics::Sample;

/// A whole run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    /// Version of this form.
    pub schema_version: u32,
    /// Processor, memory, kernel.
    pub machine: String,
    /// The commit that was measured.
    pub commit: String,
    /// Day and time (UTC).
    pub date: String,
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Smaller numbers than the goals are made for.
    pub quick: bool,
    /// In the order of the benches.
    pub rows: Vec<Row>,
    /// Benches that gave nothing, with the reason.
    pub failures: Vec<String>,
}

/// One quantity.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    /// Name of the bench.
    pub bench: String,
    /// What was measured.
    pub work: String,
    /// Unit of both samples.
    pub unit: String,
    /// Of our server or program.
    pub ours: Sample,
    /// What it is compared with.
    pub reference: Option<Reference>,
    /// What it should be.
    pub goal: Option<Goal>,
    /// Sessions on the server meanwhile, for the plot.
    pub sessions: Option<u64>,
}

/// What ours is compared with.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reference {
    /// Samba, or our own server under other conditions.
    pub name: String,
    /// Its values.
    pub sample: Sample,
}

/// What is claimed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Ours over the reference is at most this.
    RatioAtMost(f64),
    /// Ours over the reference is at least this.
    RatioAtLeast(f64),
    /// Ours is at most this.
    AtMost(f64),
}

impl Row {
    /// Ours beside Samba's.
    pub fn new(bench: &str, work: &str, unit: &str, ours: Sample) -> Self {
        Row {
            bench: bench.to_owned(),
            work: work.to_owned(),
            unit: unit.to_owned(),
            ours,
            reference: None,
            goal: None,
            sessions: None,
        }
    }

    /// Compared with this.
    pub fn beside(mut self, name: &str, sample: Sample) -> Self {
        self.reference = Some(Reference {
            name: name.to_owned(),
            sample,
        });
        self
    }

    /// With this claim.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// With so many sessions on the server.
    pub fn at(mut self, sessions: u64) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Median of ours over the median of the reference.
    pub fn ratio(&self) -> Option<f64> {
        let reference = self.reference.as_ref()?.sample.median()?;
        Some(self.ours.median()? / reference)
    }

    /// Smallest and largest ratio of a round.
    pub fn ratio_spread(&self) -> Option<(f64, f64)> {
        self.ours.over(&self.reference.as_ref()?.sample).spread()
    }

    /// The claim holds; `None` if there is none, or nothing to hold it against.
    pub fn met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::RatioAtMost(most) => self.ratio()? <= most,
            Goal::RatioAtLeast(least) => self.ratio()? >= least,
            Goal::AtMost(most) => self.ours.median()? <= most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &[f64], theirs: &[f64], goal: Goal) -> Row {
        Row::new("enum", "listing", "ms", ours.iter().copied().collect())
            .beside("Samba", theirs.iter().copied().collect())
            .goal(goal)
    }

    #[test]
    fn goals() {
        let half = |goal| row(&[1.0, 2.0, 3.0], &[4.0, 4.0, 4.0], goal).met();
        assert_eq!(half(Goal::RatioAtMost(0.5)), Some(true));
        assert_eq!(half(Goal::RatioAtMost(0.49)), Some(false));
        assert_eq!(half(Goal::RatioAtLeast(0.5)), Some(true));
        assert_eq!(half(Goal::RatioAtLeast(0.51)), Some(false));
        assert_eq!(half(Goal::AtMost(2.0)), Some(true));
        assert_eq!(half(Goal::AtMost(1.9)), Some(false));
    }

    #[test]
    fn a_goal_without_numbers_is_not_met() {
        assert_eq!(row(&[1.0], &[], Goal::RatioAtMost(9.0)).met(), None);
        assert_eq!(row(&[], &[1.0], Goal::AtMost(9.0)).met(), None);
    }

    #[test]
    fn the_spread_of_a_ratio_is_by_round() {
        let row = row(&[1.0, 4.0], &[2.0, 4.0], Goal::RatioAtMost(1.0));
        assert_eq!(row.ratio(), Some(2.5 / 3.0));
        assert_eq!(row.ratio_spread(), Some((0.5, 1.0)));
    }

    #[test]
    fn json_keeps_everything() {
        let report = Report {
            schema_version: 1,
            machine: "m".into(),
            commit: "c".into(),
            date: "d".into(),
            rounds: 2,
            quick: false,
            rows: vec![row(&[1.0], &[2.0], Goal::RatioAtMost(0.5)).at(50)],
            failures: vec!["f".into()],
        };
        let text = serde_json::to_string(&report).unwrap();
        let back: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(back.rows, report.rows);
        assert_eq!(back.failures, report.failures);
    }
}
