//! The time of an enumeration over the number of sessions, as SVG: both axes logarithmic,
//! so that a straight line of slope one is a cost that grows as the list does.

use std::fmt::Write as _;

use super::report::Row;
use super::table::{number, short};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;

/// A line of the plot.
struct Series {
    name: String,
    colour: &'static str,
    /// Sessions, milliseconds.
    points: Vec<(f64, f64)>,
}

/// An axis from one power of ten to another, over pixels.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let logarithms = values.map(f64::log10);
        let low = logarithms.clone().fold(f64::INFINITY, f64::min).floor() as i32;
        let high = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        Axis {
            low,
            high: high.max(low + 1),
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10f64.powi(power))
    }
}

/// The drawing; `None` if no row says how many sessions it was measured with.
pub fn svg(rows: &[Row]) -> Option<String> {
    let series = series(rows);
    let points = || series.iter().flat_map(|series| series.points.iter());
    if points().count() == 0 {
        return None;
    }
    let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="22" font-size="15">Time of one complete NetrSessionEnum, level 1 (median), over the number of sessions</text>
"##
    );
    grid(&mut out, &x, &y);
    for (index, series) in series.iter().enumerate() {
        line(&mut out, series, &x, &y, index);
    }
    out += "</svg>\n";
    Some(out)
}

fn series(rows: &[Row]) -> Vec<Series> {
    let rows = || rows.iter().filter(|row| row.sessions.is_some());
    let point = |row: &Row, median: Option<f64>| {
        let place = (row.sessions? as f64, median?);
        (place.0 > 0.0 && place.1 > 0.0).then_some(place)
    };
    let ours = rows().filter_map(|row| point(row, row.ours.median()));
    let theirs = rows().filter_map(|row| point(row, row.reference.as_ref()?.sample.median()));
    let name = rows()
        .find_map(|row| Some(row.reference.as_ref()?.name.clone()))
        .unwrap_or_default();
    let mut all = vec![
        Series {
            name: "netsession".to_owned(),
            colour: "#1b6ca8",
            points: ours.collect(),
        },
        Series {
            name,
            colour: "#c0392b",
            points: theirs.collect(),
        },
    ];
    for series in &mut all {
        series.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all.retain(|series| !series.points.is_empty());
    all
}

// Writing into a String cannot fail.
fn grid(out: &mut String, x: &Axis, y: &Axis) {
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for mark in x.marks() {
        let at = x.place(mark);
        let _ = writeln!(
            out,
            r##"<path d="M{at:.1} {TOP}V{bottom}" stroke="#dddddd"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"##,
            bottom + 20.0,
            short(mark)
        );
    }
    for mark in y.marks() {
        let at = y.place(mark);
        let _ = writeln!(
            out,
            r##"<path d="M{LEFT} {at:.1}H{right}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{} ms</text>"##,
            LEFT - 8.0,
            at + 4.0,
            short(mark)
        );
    }
    let _ = writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">sessions</text>"#,
        (LEFT + right) / 2.0,
        HEIGHT - 14.0
    );
}

fn line(out: &mut String, series: &Series, x: &Axis, y: &Axis, index: usize) {
    let places: Vec<(f64, f64)> = series
        .points
        .iter()
        .map(|point| (x.place(point.0), y.place(point.1)))
        .collect();
    let path: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let colour = series.colour;
    let _ = writeln!(
        out,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
        path.join(" ")
    );
    for ((at_x, at_y), (sessions, time)) in places.iter().zip(&series.points) {
        let _ = writeln!(
            out,
            r#"<circle cx="{at_x:.1}" cy="{at_y:.1}" r="4" fill="{colour}"><title>{}: {} ms at {} sessions</title></circle>"#,
            escaped(&series.name),
            number(*time),
            short(*sessions)
        );
    }
    let top = TOP + 18.0 + 20.0 * index as f64;
    let _ = writeln!(
        out,
        r#"<rect x="{:.1}" y="{:.1}" width="12" height="12" fill="{colour}"/><text x="{:.1}" y="{top:.1}">{}</text>"#,
        LEFT + 14.0,
        top - 11.0,
        LEFT + 32.0,
        escaped(&series.name)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::statistics::Sample;

    fn row(sessions: u64, ours: f64, theirs: Option<f64>) -> Row {
        let one = |value| std::iter::once(value).collect::<Sample>();
        let row = Row::new("enum", "x", "ms", one(ours)).at(sessions);
        match theirs {
            Some(theirs) => row.beside("Samba <4>", one(theirs)),
            None => row,
        }
    }

    #[test]
    fn axes_reach_the_powers_around() {
        let axis = Axis::over([2.0, 300.0].into_iter(), 0.0, 300.0);
        assert_eq!((axis.low, axis.high), (0, 3));
        assert_eq!(axis.place(1.0), 0.0);
        assert!((axis.place(100.0) - 200.0).abs() < 1e-9);
        // A single power still makes an axis.
        let axis = Axis::over([10.0].into_iter(), 0.0, 1.0);
        assert_eq!((axis.low, axis.high), (1, 2));
    }

    #[test]
    fn every_point_is_drawn() {
        let rows = [
            row(1, 0.2, Some(0.2)),
            row(50, 0.25, Some(0.65)),
            row(100_000, 60.0, None),
        ];
        let svg = svg(&rows).unwrap();
        assert_eq!(svg.matches("<circle").count(), 5, "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(
            svg.contains("Samba &lt;4>: 0.650 ms at 50 sessions"),
            "{svg}"
        );
        assert!(
            svg.contains(">100,000<") && svg.contains(">0.1 ms<"),
            "{svg}"
        );
    }

    #[test]
    fn nothing_to_draw() {
        assert_eq!(svg(&[]), None);
        let mut without = row(1, 1.0, None);
        without.sessions = None;
        assert_eq!(svg(&[without]), None);
    }
}
