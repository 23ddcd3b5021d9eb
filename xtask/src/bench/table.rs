//! The table of results, for people: aligned columns, or Markdown.

use super::report::{Goal, Report, Row};
use super::statistics::Sample;

const HEADINGS: [&str; 7] = [
    "Work",
    "Unit",
    "netsession",
    "Compared with",
    "Ratio",
    "Target",
    "Met",
];

/// Three significant digits, without an exponent; whole numbers from 1,000 on.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size >= 999.5 {
        return thousands(value);
    }
    let decimals = match size {
        _ if size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.09995 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-" } else { "" }.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `median (smallest–largest)`; without the spread if there is one value only.
fn sample(sample: &Sample) -> String {
    let (Some(median), Some((smallest, largest))) = (sample.median(), sample.spread()) else {
        return "–".to_owned();
    };
    with_spread(median, (smallest, largest), sample.values().len())
}

fn with_spread(middle: f64, (smallest, largest): (f64, f64), count: usize) -> String {
    if count < 2 {
        return number(middle);
    }
    format!(
        "{} ({}–{})",
        number(middle),
        number(smallest),
        number(largest)
    )
}

fn ratio(row: &Row) -> String {
    match (row.ratio(), row.ratio_spread()) {
        (Some(ratio), Some(spread)) => with_spread(ratio, spread, row.ours.values().len()),
        (Some(ratio), None) => number(ratio),
        (None, _) => String::new(),
    }
}

fn goal(row: &Row) -> String {
    match row.goal {
        Some(Goal::RatioAtMost(most)) => format!("at most {}×", short(most)),
        Some(Goal::RatioAtLeast(least)) => format!("at least {}×", short(least)),
        Some(Goal::AtMost(most)) => format!("at most {} {}", short(most), row.unit),
        None => String::new(),
    }
}

/// As [`number`], without zeros at the end.
pub fn short(value: f64) -> String {
    let text = number(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn cells(row: &Row) -> [String; 7] {
    let reference = row.reference.as_ref().map(|reference| {
        let sample = sample(&reference.sample);
        format!("{}: {sample}", reference.name)
    });
    [
        row.work.clone(),
        row.unit.clone(),
        sample(&row.ours),
        reference.unwrap_or_default(),
        ratio(row),
        goal(row),
        match row.met() {
            Some(true) => "yes".to_owned(),
            Some(false) => "NO".to_owned(),
            None if row.goal.is_some() => "not measured".to_owned(),
            None => String::new(),
        },
    ]
}

/// Columns aligned with spaces.
pub fn plain(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            let lengths = lines.iter().map(|line| line[column].chars().count());
            lengths.max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            shown += &format!("{cell:<width$}  ");
        }
        text += shown.trim_end();
        text.push('\n');
    }
    text
}

/// A Markdown table.
pub fn markdown(rows: &[Row]) -> String {
    let line = |cells: &[String]| {
        let escaped: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", escaped.join(" | "))
    };
    let mut text = line(&HEADINGS.map(str::to_owned));
    text += &line(&HEADINGS.map(|_| "---".to_owned()));
    for row in rows {
        text += &line(&cells(row));
    }
    text
}

/// What stands around the table.
pub fn circumstances(report: &Report) -> String {
    let mut text = format!(
        "Measured {} on {}, commit {}, {} round{}: median (smallest–largest) of the rounds; \
         ratios are of medians, their spread is by round.\n",
        report.date,
        report.machine,
        report.commit,
        report.rounds,
        if report.rounds == 1 { "" } else { "s" }
    );
    if report.quick {
        text += "A quick run: fewer sessions and smaller files than the targets mean.\n";
    }
    for failure in &report.failures {
        text += &format!("Not measured: {failure}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        for (value, text) in [
            (0.0, "0.0000"),
            (0.012_34, "0.0123"),
            (0.1234, "0.123"),
            (1.0, "1.00"),
            (9.999, "10.0"),
            (99.96, "100"),
            (123.4, "123"),
            (999.7, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1_234.0, "-1,234"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn no_needless_zeros() {
        for (value, text) in [
            (1.0, "1"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (0.01, "0.01"),
            (50.0, "50"),
            (1.0 / 1.5, "0.667"),
            (100.0, "100"),
            (100_000.0, "100,000"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    fn rows() -> Vec<Row> {
        let sample = |values: &[f64]| values.iter().copied().collect::<Sample>();
        vec![
            Row::new("enum", "listing | of 50", "ms", sample(&[0.2, 0.1, 0.3]))
                .beside("Samba", sample(&[0.5, 0.5, 0.6]))
                .goal(Goal::RatioAtMost(0.9)),
            Row::new("memory", "a session", "KiB", sample(&[5.0])).goal(Goal::AtMost(4.0)),
        ]
    }

    #[test]
    fn plain_columns_line_up() {
        let text = plain(&rows());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "listing | of 50  ms    0.200 (0.100–0.300)  Samba: 0.500 (0.500–0.600)  \
             0.400 (0.200–0.500)  at most 0.9×   yes"
        );
        assert_eq!(lines[2].find("KiB"), lines[0].find("Unit"));
        assert!(lines[2].ends_with("at most 4 KiB  NO"), "{}", lines[2]);
    }

    #[test]
    fn a_goal_without_a_measurement_is_said() {
        let mut rows = rows();
        rows[0].ours = Sample::default();
        let text = plain(&rows);
        let line = text.lines().nth(1).unwrap();
        assert!(line.ends_with("not measured"), "{line}");
    }

    #[test]
    fn markdown_escapes() {
        let text = markdown(&rows());
        assert!(text.contains(r"| listing \| of 50 | ms |"), "{text}");
        for line in text.lines() {
            assert_eq!(line.replace(r"\|", "").matches('|').count(), 8, "{line}");
        }
    }
}
