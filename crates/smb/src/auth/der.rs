//! The part of DER that SPNEGO needs (X.690 8 and 10): definite lengths, one-byte tags.
//!
//! Reads lengths in more bytes than needed, which some clients write; never an
//! indefinite one.

use super::Error;

pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const GENERAL_STRING: u8 = 0x1B;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const APPLICATION_0: u8 = 0x60;

/// The tag [n] of a constructed element.
pub(super) const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// The low five bits of a tag whose number does not fit them: such tags are refused.
const LONG_TAG: u8 = 0x1F;
/// A length of more bytes than this is beyond any token.
const MAX_LENGTH_BYTES: usize = 4;

/// Elements one behind the other; only ever shrinks.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With its tag and length, as they came.
    pub(super) encoded: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element, None at the end.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, Error> {
        let whole = self.0;
        let Some((&tag, rest)) = whole.split_first() else {
            return Ok(None);
        };
        let (&first, rest) = rest.split_first().ok_or(Error::Der)?;
        if tag & LONG_TAG == LONG_TAG {
            return Err(Error::Der);
        }
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7F);
            if count == 0 || count > MAX_LENGTH_BYTES {
                return Err(Error::Der);
            }
            let (bytes, rest) = rest.split_at_checked(count).ok_or(Error::Der)?;
            let length = bytes
                .iter()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            (usize::try_from(length).map_err(|_| Error::Der)?, rest)
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(Error::Der)?;
        self.0 = rest;
        let encoded = &whole[..whole.len() - rest.len()];
        Ok(Some(Element {
            tag,
            content,
            encoded,
        }))
    }

    /// The next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Error> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok(element),
            _ => Err(Error::Der),
        }
    }
}

/// The element around `content`.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        out.push(0x80 | (bytes.len() - zeros) as u8);
        out.extend_from_slice(&bytes[zeros..]);
    }
    out.extend_from_slice(content);
    out
}
