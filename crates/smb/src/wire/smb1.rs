//! The one SMB1 message an SMB2 server understands: the multi-protocol NEGOTIATE
//! ([MS-SMB2] 3.3.5.3, [MS-CIFS] 2.2.4.52.1).

use super::{Dialect, Error, codec};

/// First four bytes of an SMB1 message.
pub const PROTOCOL_ID: [u8; 4] = *b"\xFFSMB";
/// SMB_COM_NEGOTIATE.
pub const SMB_COM_NEGOTIATE: u8 = 0x72;
/// Dialect strings accepted. Known clients send a dozen.
pub const MAX_DIALECTS: usize = 64;

/// The dialect string for SMB 2.0.2.
pub const SMB_2_002: &[u8] = b"SMB 2.002";
/// The dialect string for "2.1 or later".
pub const SMB_2_WILDCARD: &[u8] = b"SMB 2.???";

/// Bytes of an SMB1 header.
const HEADER: usize = 32;

/// SMB_COM_NEGOTIATE request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultiProtocolNegotiate<'a> {
    /// The dialect strings, without their final zero.
    pub dialects: Vec<&'a [u8]>,
}

impl<'a> MultiProtocolNegotiate<'a> {
    /// Whether `frame` begins like any SMB1 message.
    pub fn recognise(frame: &[u8]) -> bool {
        frame.starts_with(&PROTOCOL_ID)
    }

    /// Reads the message.
    ///
    /// # Errors
    /// [`Error::ProtocolId`] if it is another message, [`Error`] if it is broken.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        const WHAT: &str = "SMB1 NEGOTIATE request";
        let (protocol_id, _) = codec::prefix::<[u8; 4]>(WHAT, message)?;
        let other = Error::ProtocolId {
            what: WHAT,
            found: *protocol_id,
        };
        if *protocol_id != PROTOCOL_ID {
            return Err(other);
        }
        let (head, rest) = codec::prefix::<[u8; HEADER + 3]>(WHAT, message)?;
        let (command, word_count) = (head[4], head[HEADER]);
        if command != SMB_COM_NEGOTIATE || word_count != 0 {
            return Err(other);
        }
        let byte_count = u16::from_le_bytes([head[HEADER + 1], head[HEADER + 2]]);
        let mut bytes = codec::within(rest, WHAT, 0, 0, byte_count.into())?;
        let mut dialects = Vec::new();
        while let Some((format, string)) = bytes.split_first() {
            let end = string.iter().position(|byte| *byte == 0);
            let (Some(end), 0x02) = (end, *format) else {
                return Err(Error::Truncated {
                    what: "SMB1 dialect string",
                    needed: bytes.len() + 1,
                    available: bytes.len(),
                });
            };
            if dialects.len() == MAX_DIALECTS {
                let count = MAX_DIALECTS + 1;
                return Err(Error::Count {
                    what: WHAT,
                    count,
                    limit: MAX_DIALECTS,
                });
            }
            dialects.push(&string[..end]);
            bytes = &string[end + 1..];
        }
        Ok(Self { dialects })
    }

    /// Appends the message, header included. Strings beyond 65535 bytes are left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&PROTOCOL_ID);
        out.push(SMB_COM_NEGOTIATE);
        out.resize(out.len() + HEADER - 5, 0);
        out.push(0);
        let place = out.len();
        out.extend_from_slice(&[0, 0]);
        for dialect in &self.dialects {
            if out.len() - place + dialect.len() > usize::from(u16::MAX) {
                break;
            }
            out.push(0x02);
            out.extend_from_slice(dialect);
            out.push(0);
        }
        let byte_count = (out.len() - place - 2) as u16;
        out[place..place + 2].copy_from_slice(&byte_count.to_le_bytes());
    }

    /// The SMB2 dialect to answer with: the wildcard, else 2.0.2, else none.
    pub fn smb2_dialect(&self) -> Option<Dialect> {
        if self.dialects.contains(&SMB_2_WILDCARD) {
            Some(Dialect::WILDCARD)
        } else if self.dialects.contains(&SMB_2_002) {
            Some(Dialect::SMB202)
        } else {
            None
        }
    }
}
