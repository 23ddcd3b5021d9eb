//! Samples: what is said of a quantity that was measured several times.

use serde::{Deserialize, Serialize};

/// One quantity, measured once in each round.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sample {
    values: Vec<f64>,
}

impl Sample {
    /// Takes one round's value.
    pub fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The values in the order of the rounds.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The middle value, or the mean of the two in the middle; `None` without values.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            length if length % 2 == 1 => Some(sorted[middle]),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }

    /// Smallest and largest value; `None` without values.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let smallest = self.values.iter().copied().min_by(f64::total_cmp)?;
        let largest = self.values.iter().copied().max_by(f64::total_cmp)?;
        Some((smallest, largest))
    }

    /// This over `other`, round by round: what was measured side by side is compared side by
    /// side. Empty if the rounds do not pair up.
    pub fn over(&self, other: &Sample) -> Sample {
        if self.values.len() != other.values.len() {
            return Sample::default();
        }
        let pairs = self.values.iter().zip(&other.values);
        pairs.map(|(ours, theirs)| ours / theirs).collect()
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Sample {
            values: values.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        values.iter().copied().collect()
    }

    #[test]
    fn medians() {
        assert_eq!(sample(&[]).median(), None);
        assert_eq!(sample(&[3.0]).median(), Some(3.0));
        assert_eq!(sample(&[9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(sample(&[4.0, 1.0, 3.0, 2.0]).median(), Some(2.5));
    }

    #[test]
    fn spreads() {
        assert_eq!(sample(&[]).spread(), None);
        assert_eq!(sample(&[2.0, -1.0, 5.0]).spread(), Some((-1.0, 5.0)));
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let ratio = sample(&[1.0, 4.0]).over(&sample(&[2.0, 4.0]));
        assert_eq!(ratio.values(), [0.5, 1.0]);
        assert_eq!(sample(&[1.0]).over(&sample(&[1.0, 2.0])), Sample::default());
    }

    #[test]
    fn a_sample_is_a_list_in_json() {
        let text = serde_json::to_string(&sample(&[1.5, 2.0])).unwrap();
        assert_eq!(text, "[1.5,2.0]");
        assert_eq!(
            serde_json::from_str::<Sample>(&text).unwrap(),
            sample(&[1.5, 2.0])
        );
    }
}
