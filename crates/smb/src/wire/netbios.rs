//! The four bytes before each frame on TCP ([MS-SMB2] 2.1; port 139: RFC 1002 4.3).

use super::Error;

/// A frame of SMB messages.
pub const SESSION_MESSAGE: u8 = 0x00;
/// Port 139: a session is asked for.
pub const SESSION_REQUEST: u8 = 0x81;
/// Port 139: a session is granted.
pub const POSITIVE_SESSION_RESPONSE: u8 = 0x82;
/// Port 139: still there.
pub const SESSION_KEEPALIVE: u8 = 0x85;

/// Bytes of the prefix.
pub const SIZE: usize = 4;
/// The largest frame that 24 bits can announce.
pub const MAX_LENGTH: usize = 0x00FF_FFFF;

/// The frame prefix: a type and the length of what follows, 24 bits, big-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    /// [`SESSION_MESSAGE`]; anything else only on port 139.
    pub packet_type: u8,
    /// Bytes that follow, at most [`MAX_LENGTH`].
    pub length: usize,
}

impl Prefix {
    /// Reads the four bytes.
    pub fn read(bytes: [u8; SIZE]) -> Self {
        let [packet_type, high, middle, low] = bytes;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        Self {
            packet_type,
            length,
        }
    }
}

/// The prefix of a session message of `length` bytes.
///
/// # Errors
/// [`Error::OutOfBounds`] beyond [`MAX_LENGTH`].
pub fn prefix(length: usize) -> Result<[u8; SIZE], Error> {
    if length > MAX_LENGTH {
        let what = "frame on TCP";
        return Err(Error::OutOfBounds {
            what,
            offset: 0,
            length,
            available: MAX_LENGTH,
        });
    }
    Ok((length as u32).to_be_bytes())
}
