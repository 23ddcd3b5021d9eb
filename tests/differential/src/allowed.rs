//! Differences that are known and right: `allowed.toml`.

use serde::Deserialize;

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// Pattern of the step, as a report prints it.
    pub step: String,
    /// Pattern of the lines that only our server says, in their order and joined by ` | `.
    pub netsession: String,
    /// The same of Samba.
    pub samba: String,
    /// Who is right, and by which section.
    pub reason: String,
    /// The servers may differ in what follows: the schedule ends here.
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

    /// Whether it speaks of this difference.
    pub fn covers(&self, step: &str, netsession: &[String], samba: &[String]) -> bool {
        matches(&self.step, step)
            && matches(&self.netsession, &netsession.join(" | "))
            && matches(&self.samba, &samba.join(" | "))
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
    fn the_list_reads() {
        let list = Allowed::read(include_str!("../allowed.toml")).expect("allowed.toml");
        for entry in list {
            assert!(!entry.reason.is_empty() && entry.step != "*", "{entry:?}");
        }
    }
}
