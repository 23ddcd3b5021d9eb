//! Text in columns, as wide as a terminal shows it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::bold;

/// Columns that grow with what they have to hold, so that lines can be printed before the
/// last one is known.
#[derive(Debug)]
pub struct Columns {
    widths: Vec<usize>,
    right: Vec<usize>,
}

impl Columns {
    /// Columns for these headings; `right` names those of numbers.
    pub fn new(headings: &[&str], right: &[usize]) -> Self {
        Self {
            widths: headings.iter().map(|heading| heading.width()).collect(),
            right: right.to_vec(),
        }
    }

    /// Column `index` has at least this width.
    pub fn at_least(&mut self, index: usize, width: usize) {
        self.widths[index] = self.widths[index].max(width);
    }

    /// Makes room for these cells.
    pub fn fit(&mut self, cells: &[String]) {
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.width());
        }
    }

    /// One line, without its end.
    pub fn line<S: AsRef<str>>(&self, cells: &[S]) -> String {
        let mut line = String::new();
        for (index, (cell, &width)) in cells.iter().zip(&self.widths).enumerate() {
            let cell = cell.as_ref();
            let space = " ".repeat(width.saturating_sub(cell.width()));
            if index > 0 {
                line.push_str("  ");
            }
            if self.right.contains(&index) {
                line.push_str(&space);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&space);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// A whole table; `right` names the columns of numbers.
pub fn table(headings: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut columns = Columns::new(headings, right);
    for row in &rows {
        columns.fit(row);
    }
    let mut text = bold(&columns.line(headings));
    text.push('\n');
    for row in &rows {
        text.push_str(&columns.line(row));
        text.push('\n');
    }
    text
}

/// `text` in exactly `width` columns: filled with spaces, or cut. A character two columns
/// wide is never cut in half.
pub fn exactly(text: &str, width: usize) -> String {
    let mut taken = String::with_capacity(width);
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            break;
        }
        used += wide;
        taken.push(c);
    }
    taken.push_str(&" ".repeat(width - used));
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_with_their_lines() {
        let mut columns = Columns::new(&["A", "NUMBER", "C"], &[1]);
        assert_eq!(columns.line(&["A", "NUMBER", "C"]), "A  NUMBER  C");
        columns.fit(&["名前".into(), "12".into(), String::new()]);
        assert_eq!(columns.line(&["名前", "12", ""]), "名前      12");
        assert_eq!(columns.line(&["x", "1234567", "y"]), "x     1234567  y");
    }

    #[test]
    fn cut_between_characters() {
        assert_eq!(exactly("abc", 5), "abc  ");
        assert_eq!(exactly("abcdef", 5), "abcde");
        assert_eq!(exactly("日本語", 5), "日本 ");
        assert_eq!(exactly("Jürgen", 4), "Jürg");
        // A combining mark stays with its letter.
        assert_eq!(exactly("ae\u{301}x", 2), "ae\u{301}");
    }
}
