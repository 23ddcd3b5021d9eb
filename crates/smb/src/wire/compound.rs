//! Compounded messages ([MS-SMB2] 3.2.4.1.4, 3.3.5.2.7): a frame holds one message or
//! several, each at a multiple of eight, chained by NextCommand.

use super::{Error, Header, codec};

/// The messages of one decrypted frame, in order. An error ends the iteration.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: Option<&'a [u8]>,
}

/// The messages of `frame`.
pub fn split(frame: &[u8]) -> Messages<'_> {
    Messages { rest: Some(frame) }
}

impl<'a> Iterator for Messages<'a> {
    /// The header, and the message from its header to the next one.
    type Item = Result<(Header, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        Some(first(rest).map(|(header, message, behind)| {
            self.rest = behind;
            (header, message)
        }))
    }
}

type First<'a> = (Header, &'a [u8], Option<&'a [u8]>);

fn first(frame: &[u8]) -> Result<First<'_>, Error> {
    const WHAT: &str = "NextCommand";
    let header = Header::read(frame)?;
    let offset = header.next_command as usize;
    if offset == 0 {
        return Ok((header, frame, None));
    }
    if !offset.is_multiple_of(8) {
        return Err(Error::Misaligned { what: WHAT, offset });
    }
    // The next header must be whole, and this one as well.
    codec::within(frame, WHAT, Header::SIZE, offset, Header::SIZE)?;
    let (message, behind) = frame.split_at(offset);
    Ok((header, message, Some(behind)))
}

/// Ends the message that begins at `start` of `frame` so that another can follow: pads
/// to a multiple of eight and enters NextCommand. Returns where the next one begins.
///
/// # Panics
/// If no whole header begins at `start`: a mistake of the caller, not of the network.
pub fn link(frame: &mut Vec<u8>, start: usize) -> usize {
    codec::align(frame, start);
    let next = frame.len();
    frame[start + 20..start + 24].copy_from_slice(&((next - start) as u32).to_le_bytes());
    next
}
