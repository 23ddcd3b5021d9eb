//! Differences that are known and right: `allowed.toml`.

use serde::Deserialize;

/// One of them: lines that may be said, in answer to some steps, by one server only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// Pattern of the step, as a report prints it.
    pub step: String,
    /// Patterns of lines that only our server says.
    pub netsession: Vec<String>,
    /// The same of Samba.
    pub samba: Vec<String>,
    /// Who is right, and by which section.
    pub reason: String,
    /// The servers are in different states from then on: the schedule ends there.
    #[serde(default)]
    pub ends: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allowed: Vec<Allowed>,
}

impl Allowed {
    /// Reads the list.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(file.allowed)
    }

    /// Takes out of a difference what the entry allows; true if that is something. Each of
    /// its patterns must match a line, and takes all that it matches; one that ends the
    /// schedule takes what was said to other steps as well.
    pub fn take(&self, step: &str, netsession: &mut Vec<String>, samba: &mut Vec<String>) -> bool {
        let speaks = |patterns: &[String], lines: &[String]| {
            (patterns.iter()).all(|pattern| lines.iter().any(|line| matches(pattern, said(line))))
        };
        if !matches(&self.step, step)
            || !speaks(&self.netsession, netsession)
            || !speaks(&self.samba, samba)
        {
            return false;
        }
        for (patterns, lines) in [(&self.netsession, netsession), (&self.samba, samba)] {
            let is_allowed =
                |line: &str| patterns.iter().any(|pattern| matches(pattern, said(line)));
            // What others say is a consequence, if the servers part ways here.
            let own = step.split(' ').next().unwrap_or_default();
            let is_own = |line: &str| {
                let number = line.split([' ', '.']).next();
                number == Some(own)
            };
            lines.retain(|line| !is_allowed(line) && (!self.ends || is_own(line)));
        }
        true
    }
}

/// A line without the number of its step.
pub fn said(line: &str) -> &str {
    match line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
        Some((_, said)) => said,
        None => line,
    }
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.split_once(piece) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("a*c", "abc"));
        assert!(matches("a*c", "ac"));
        assert!(matches("*", ""));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
        assert!(matches("*b*d", "abcd"));
        assert!(!matches("*b*d", "abc"));
        assert!(!matches("a*a", "a"));
    }

    #[test]
    fn an_entry_takes_what_it_speaks_of() {
        let entry = Allowed {
            step: "*ACKNOWLEDGE*".to_owned(),
            netsession: vec!["ACKNOWLEDGE: one".to_owned()],
            samba: vec!["ACKNOWLEDGE: t*".to_owned()],
            reason: String::new(),
            ends: true,
        };
        let step = "#12 client 0: ACKNOWLEDGE";
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let mut left: Vec<String> = lines(&["#12 ACKNOWLEDGE: one", "#1 CREATE: late"]);
        let mut right: Vec<String> = lines(&["#12 ACKNOWLEDGE: two", "#12 ACKNOWLEDGE: also"]);
        assert!(entry.take(step, &mut left, &mut right));
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(right, ["#12 ACKNOWLEDGE: also"]);
        assert!(!entry.take(step, &mut left, &mut right));
    }

    #[test]
    fn the_list_reads() {
        let list = Allowed::read(include_str!("../allowed.toml")).expect("allowed.toml");
        for entry in list {
            assert!(!entry.reason.is_empty(), "{entry:?}");
            assert!(
                !entry.netsession.is_empty() || !entry.samba.is_empty(),
                "{entry:?}"
            );
        }
    }
}
