//! [`List`]: every test that smbtorture has for SMB2, with Samba's result and what is expected
//! of our server, as `tests/torture/results.tsv` keeps them.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

/// The file of the list, from the root of the checkout.
pub const FILE: &str = "tests/torture/results.tsv";

/// The suites that decide whether the server is good enough; the others are for information.
pub const NAMED: &[&str] = &[
    "smb2.connect",
    "smb2.tcon",
    "smb2.session",
    "smb2.session-id",
    "smb2.secleak",
    "smb2.sharemode",
    "smb2.deny",
    "smb2.create",
    "smb2.delete-on-close-perms",
    "smb2.rename",
    "smb2.lock",
    "smb2.oplock",
    "smb2.kernel-oplocks",
    "smb2.lease",
    "smb2.notify",
    "smb2.notify-inotify",
    "smb2.compound",
    "smb2.compound_async",
    "smb2.compound_find",
    "smb2.credits",
    "smb2.dir",
    "smb2.getinfo",
    "smb2.fileid",
    "smb2.timestamps",
    "smb2.openattr",
    "smb2.read",
    "smb2.rw",
    "smb2.bench",
    "smb2.maxfid",
    "smb2.mkdir",
    "smb2.charset",
    "smb2.async_dosmode",
];

/// How a note begins that keeps a test out of the bounded run.
const SLOW: &str = "slow: ";

/// How a test ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that it asked for was there.
    Pass,
    /// Something was not, or it did not end in time.
    Fail,
    /// It found that it does not apply.
    Skip,
}

impl Verdict {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pass" => Verdict::Pass,
            "fail" => Verdict::Fail,
            "skip" => Verdict::Skip,
            _ => return None,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Skip => "skip",
        })
    }
}

/// A test and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The suite, for instance `smb2.lock`.
    pub suite: String,
    /// The test's own name, for instance `contend`.
    pub test: String,
    /// Samba's result.
    pub samba: Verdict,
    /// What is expected of our server.
    pub ours: Verdict,
    /// Why it is not expected to pass; of one that passes, why the bounded run leaves it out.
    pub note: String,
}

impl Row {
    /// The name under which smbtorture runs it: a suite of a single test has no second part.
    pub fn name(&self) -> String {
        match self.suite.rsplit('.').next() {
            Some(last) if last == self.test => self.suite.clone(),
            _ => format!("{}.{}", self.suite, self.test),
        }
    }

    /// True if the bounded run takes it.
    pub fn bounded(&self) -> bool {
        self.ours == Verdict::Pass && !self.note.starts_with(SLOW)
    }
}

/// The whole list, in the order of the file.
#[derive(Debug)]
pub struct List {
    heading: String,
    /// The tests.
    pub rows: Vec<Row>,
}

impl List {
    /// Reads the file.
    pub fn read(root: &Path) -> Result<Self, String> {
        let file = root.join(FILE);
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("could not read {}: {error}", file.display()))?;
        Self::parse(&text).map_err(|reason| format!("{}: {reason}", file.display()))
    }

    /// Writes it back.
    pub fn write(&self, root: &Path) -> Result<(), String> {
        let file = root.join(FILE);
        fs::write(&file, self.to_string())
            .map_err(|error| format!("could not write {}: {error}", file.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut list = List {
            heading: String::new(),
            rows: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            if line.starts_with('#') {
                list.heading += line;
                list.heading.push('\n');
                continue;
            }
            let row = Self::row(line).ok_or_else(|| format!("line {}: {line}", number + 1))?;
            list.rows.push(row);
        }
        Ok(list)
    }

    fn row(line: &str) -> Option<Row> {
        let mut cells = line.split('\t');
        let mut cell = || cells.next();
        let row = Row {
            suite: cell()?.to_owned(),
            test: cell()?.to_owned(),
            samba: Verdict::parse(cell()?)?,
            ours: Verdict::parse(cell()?)?,
            note: cell().unwrap_or_default().to_owned(),
        };
        (cells.next().is_none()).then_some(row)
    }

    /// The tests that `words` name: suites, single tests, or `all`. Those of the named suites if
    /// there is no word.
    pub fn chosen(&self, words: &[String]) -> Result<Vec<usize>, String> {
        let named = |row: &Row| NAMED.contains(&row.suite.as_str());
        let fits = |word: &str, row: &Row| word == "all" || word == row.suite || word == row.name();
        if let Some(word) = words
            .iter()
            .find(|word| !self.rows.iter().any(|row| fits(word, row)))
        {
            return Err(format!(
                "no suite or test `{word}` in {FILE}; `cargo xtask torture --list all` shows them"
            ));
        }
        let rows = self.rows.iter().enumerate();
        let chosen = rows.filter(|(_, row)| match words {
            [] => named(row),
            words => words.iter().any(|word| fits(word, row)),
        });
        Ok(chosen.map(|(index, _)| index).collect())
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.heading)?;
        for row in &self.rows {
            let (suite, test) = (&row.suite, &row.test);
            write!(f, "{suite}\t{test}\t{}\t{}", row.samba, row.ours)?;
            if !row.note.is_empty() {
                write!(f, "\t{}", row.note)?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a heading\nsmb2.connect\tconnect\tpass\tpass\n\
        smb2.lock\tcontend\tpass\tfail\tno locks\n\
        smb2.lock\tlock\tpass\tpass\tslow: it waits\n\
        smb2.ioctl\ttrim\tskip\tskip\n";

    #[test]
    fn there_and_back() {
        let list = List::parse(TEXT).unwrap();
        assert_eq!(list.to_string(), TEXT);
        assert_eq!(list.rows[0].name(), "smb2.connect");
        assert_eq!(list.rows[1].name(), "smb2.lock.contend");
        let bounded: Vec<bool> = list.rows.iter().map(Row::bounded).collect();
        assert_eq!(bounded, [true, false, false, false]);
    }

    #[test]
    fn what_is_no_row() {
        for text in [
            "smb2.lock\tlock\tpass",
            "smb2.lock\tlock\tpass\tgood",
            "a\tb\tpass\tpass\tc\td",
        ] {
            assert!(List::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn choosing() {
        let list = List::parse(TEXT).unwrap();
        let chosen = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            list.chosen(&words)
        };
        assert_eq!(chosen(&[]).unwrap(), [0, 1, 2]);
        assert_eq!(chosen(&["smb2.lock"]).unwrap(), [1, 2]);
        assert_eq!(
            chosen(&["smb2.ioctl", "smb2.lock.contend"]).unwrap(),
            [1, 3]
        );
        assert_eq!(chosen(&["all"]).unwrap(), [0, 1, 2, 3]);
        assert!(chosen(&["smb2.lock.nonsense"]).is_err());
    }

    #[test]
    fn the_file_itself() {
        let root = crate::test::root().unwrap();
        let list = List::read(&root).unwrap();
        for name in NAMED {
            assert!(list.rows.iter().any(|row| row.suite == *name), "{name}");
        }
        for row in &list.rows {
            let reason = row.ours == Verdict::Pass || !row.note.is_empty();
            assert!(reason, "{} has no reason", row.name());
        }
    }
}
