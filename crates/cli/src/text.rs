//! Text for people: durations, and names from the network made harmless.

use std::fmt::Write;

/// True for what could move the cursor, change colours or reorder a line.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `name` with harmful characters as `\u{..}`.
pub fn printable(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if is_harmful(c) {
            // Writing to a String does not fail.
            let _ = write!(text, "{}", c.escape_unicode());
        } else {
            text.push(c);
        }
    }
    text
}

/// `message` on one line: line breaks and the space around them become one space, other
/// harmful characters `\u{..}`.
pub fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    printable(&lines.join(" "))
}

/// Seconds in at most two units: `5s`, `12m 5s`, `1h 1m`, `3d 4h`. Samba sends small negative
/// numbers when a session is younger than a second: those are `0s`.
pub fn duration(seconds: u32) -> String {
    let seconds = u32::try_from(seconds.cast_signed()).unwrap_or(0);
    let (minute, hour, day) = (60, 3_600, 86_400);
    match seconds {
        s if s < minute => format!("{s}s"),
        s if s < hour => format!("{}m {}s", s / minute, s % minute),
        s if s < day => format!("{}h {}m", s / hour, s % hour / minute),
        s => format!("{}d {}h", s / day, s % day / hour),
    }
}

/// `1 session`, `2 sessions`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (725, "12m 5s"),
            (3_661, "1h 1m"),
            (86_399, "23h 59m"),
            (86_400 * 3 + 3_600 * 4, "3d 4h"),
            (i32::MAX as u32, "24855d 3h"),
            (u32::MAX, "0s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn names_cannot_write_on_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[31mb\tc\u{202e}"),
            r"a\u{1b}[31mb\u{9}c\u{202e}"
        );
        assert_eq!(printable("Jürgen 名"), "Jürgen 名");
        assert_eq!(one_line("a\n  b\r\n\nc\u{7}"), r"a b c\u{7}");
    }

    #[test]
    fn counts() {
        assert_eq!(
            (count(1, "open"), count(0, "open")),
            ("1 open".into(), "0 opens".into())
        );
    }
}
