//! Extended attributes of clients ([MS-FSCC] 2.4.16), as a store keeps them.

use smb::NtStatus;

/// An extended attribute that a client has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// Compared without regard to the case of ASCII letters. On the wire it is bytes without
    /// an encoding, which are taken for UTF-8, as Linux and Samba send it.
    pub name: Box<str>,
    /// Never empty, but where an empty one removes the attribute.
    pub value: Vec<u8>,
    /// FILE_NEED_EA: who says that it knows nothing of extended attributes
    /// (FILE_NO_EA_KNOWLEDGE) cannot open the file.
    pub need: bool,
}

/// Most bytes of a file's extended attributes, each counted as [`ExtendedAttribute::size`]: as
/// on NTFS, 64 KiB less 5 ([MS-FSA] 2.1.5.15.6).
pub const MAX_EXTENDED_ATTRIBUTES: usize = 65_531;

/// Bytes that an attribute takes beside its name and value: flags, both lengths, and a NUL.
const HEAD: usize = 5;

/// Longest name in bytes ([MS-FSCC] 2.4.16: less than 255).
const LONGEST_NAME: usize = 254;

impl ExtendedAttribute {
    /// Bytes that it takes of [`MAX_EXTENDED_ATTRIBUTES`].
    pub fn size(&self) -> usize {
        size(&self.name, self.value.len())
    }

    /// Can an attribute have this name ([MS-FSCC] 2.4.16)? A store shows no other.
    pub fn is_name(name: &str) -> bool {
        let forbidden = |c: char| c < ' ' || r#"\/:*?"<>|,+=[];"#.contains(c);
        (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(forbidden)
    }

    /// What `changes`, in their order, make of `present` ([MS-FSA] 2.1.5.15.6): one of the same
    /// name is replaced and keeps its spelling, one without a value goes.
    ///
    /// # Errors
    ///
    /// INVALID_EA_NAME, or EA_TOO_LARGE if that were more than [`MAX_EXTENDED_ATTRIBUTES`].
    pub fn change(mut present: Vec<Self>, changes: &[Self]) -> Result<Vec<Self>, NtStatus> {
        for change in changes {
            if !Self::is_name(&change.name) {
                return Err(NtStatus::INVALID_EA_NAME);
            }
            let same = |one: &Self| one.name.eq_ignore_ascii_case(&change.name);
            match present.iter().position(same) {
                Some(place) if change.value.is_empty() => {
                    present.remove(place);
                }
                Some(place) => {
                    let name = std::mem::take(&mut present[place].name);
                    present[place] = Self {
                        name,
                        ..change.clone()
                    };
                }
                None if change.value.is_empty() => {}
                None => present.push(change.clone()),
            }
            if present.iter().map(Self::size).sum::<usize>() > MAX_EXTENDED_ATTRIBUTES {
                return Err(NtStatus::EA_TOO_LARGE);
            }
        }
        Ok(present)
    }
}

/// What EaSize tells ([MS-FSCC] 2.4.13) of attributes with these names and lengths of value: 0
/// if there are none, else their sizes and 4 more.
pub fn ea_size<'a>(attributes: impl IntoIterator<Item = (&'a str, usize)>) -> u32 {
    let sizes = attributes
        .into_iter()
        .map(|(name, length)| size(name, length));
    match sizes.sum::<usize>() {
        0 => 0,
        sum => u32::try_from(sum + 4).unwrap_or(u32::MAX),
    }
}

fn size(name: &str, value: usize) -> usize {
    HEAD + name.len() + value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, value: &str) -> ExtendedAttribute {
        ExtendedAttribute {
            name: name.into(),
            value: value.into(),
            need: false,
        }
    }

    #[test]
    fn names() {
        let long = "n".repeat(254);
        for name in ["EAONE", "org.example.mime type", "ümlaut", &long] {
            assert!(ExtendedAttribute::is_name(name), "{name}");
        }
        let longer = "n".repeat(255);
        for name in ["", "a\0", "a\u{1f}", "a:b", "a=b", "[a]", "a;", &longer] {
            assert!(!ExtendedAttribute::is_name(name), "{name}");
        }
    }

    #[test]
    fn changes_are_made_in_their_order() {
        let change = ExtendedAttribute::change;
        let present = vec![attribute("One", "1"), attribute("Two", "2")];
        let changes = [
            attribute("ONE", "first"),
            attribute("two", ""),
            attribute("none", ""),
            attribute("Three", "3"),
            attribute("three", "third"),
        ];
        let after = vec![attribute("One", "first"), attribute("Three", "third")];
        assert_eq!(change(present.clone(), &changes), Ok(after));
        let invalid = [attribute("Four", "4"), attribute("*", "")];
        assert_eq!(change(present, &invalid), Err(NtStatus::INVALID_EA_NAME));
    }

    #[test]
    fn the_limit_is_that_of_ntfs() {
        let full = |value: usize| vec![attribute("n", &"v".repeat(value))];
        let most = MAX_EXTENDED_ATTRIBUTES - HEAD - 1;
        let added = ExtendedAttribute::change(Vec::new(), &full(most)).unwrap();
        assert_eq!(added[0].size(), MAX_EXTENDED_ATTRIBUTES);
        let too_large = ExtendedAttribute::change(Vec::new(), &full(most + 1));
        assert_eq!(too_large, Err(NtStatus::EA_TOO_LARGE));
        let more = ExtendedAttribute::change(added, &[attribute("m", "")]);
        assert!(more.is_ok());
    }

    #[test]
    fn sizes_are_those_of_windows() {
        assert_eq!(ea_size([]), 0);
        assert_eq!(ea_size([("EAONE", 6), ("SECONDEA", 8)]), 4 + 16 + 21);
    }
}
