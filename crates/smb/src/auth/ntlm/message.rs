//! NEGOTIATE_MESSAGE, CHALLENGE_MESSAGE, AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1).

use std::ops::{BitAnd, BitOr};

use crate::auth::Error;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;

/// VERSION ([MS-NLMP] 2.2.2.10): for debugging only, but clients expect one. 6.1 and
/// NTLMSSP_REVISION_W2K3, what other implementations send as well.
const VERSION: [u8; 8] = [6, 1, 0, 0, 0, 0, 0, 15];

const CHALLENGE_HEAD: usize = 56;
const AUTHENTICATE_HEAD: usize = 88;
/// Where the MIC lies in an AUTHENTICATE_MESSAGE that has one.
const MIC: usize = 72;

/// NEGOTIATE flags ([MS-NLMP] 2.2.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::auth) struct NegotiateFlags(pub(in crate::auth) u32);

impl NegotiateFlags {
    pub(in crate::auth) const UNICODE: Self = Self(0x0000_0001);
    pub(in crate::auth) const REQUEST_TARGET: Self = Self(0x0000_0004);
    pub(in crate::auth) const SIGN: Self = Self(0x0000_0010);
    pub(in crate::auth) const SEAL: Self = Self(0x0000_0020);
    pub(in crate::auth) const NTLM: Self = Self(0x0000_0200);
    pub(in crate::auth) const ANONYMOUS: Self = Self(0x0000_0800);
    pub(in crate::auth) const ALWAYS_SIGN: Self = Self(0x0000_8000);
    pub(in crate::auth) const TARGET_TYPE_SERVER: Self = Self(0x0002_0000);
    pub(in crate::auth) const EXTENDED_SESSIONSECURITY: Self = Self(0x0008_0000);
    pub(in crate::auth) const TARGET_INFO: Self = Self(0x0080_0000);
    pub(in crate::auth) const VERSION: Self = Self(0x0200_0000);
    pub(in crate::auth) const NEGOTIATE_128: Self = Self(0x2000_0000);
    pub(in crate::auth) const KEY_EXCH: Self = Self(0x4000_0000);
    pub(in crate::auth) const NEGOTIATE_56: Self = Self(0x8000_0000);

    pub(in crate::auth) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for NegotiateFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for NegotiateFlags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Whether these bytes are an NTLMSSP message without SPNEGO around it.
pub(in crate::auth) fn is_ntlmssp(token: &[u8]) -> bool {
    token.starts_with(SIGNATURE)
}

/// UTF-16LE.
pub(in crate::auth) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A name as it came: whole UTF-16 units, pairs complete.
pub(in crate::auth) fn read_utf16(bytes: &[u8]) -> Result<String, Error> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return Err(Error::Utf16);
    };
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Utf16)
}

/// NEGOTIATE_MESSAGE; its names tell nothing that anyone uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct NegotiateMessage {
    pub(in crate::auth) flags: NegotiateFlags,
}

impl NegotiateMessage {
    pub(in crate::auth) fn read(message: &[u8]) -> Result<Self, Error> {
        check_type(message, NEGOTIATE)?;
        Ok(Self {
            flags: NegotiateFlags(u32_at(message, 12)?),
        })
    }

    pub(in crate::auth) fn write(&self) -> Vec<u8> {
        let mut out = head(NEGOTIATE);
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        // DomainNameFields and WorkstationFields.
        out.extend_from_slice(&[0; 16]);
        out.extend_from_slice(&VERSION);
        out
    }
}

/// CHALLENGE_MESSAGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct ChallengeMessage<'a> {
    pub(in crate::auth) flags: NegotiateFlags,
    pub(in crate::auth) server_challenge: [u8; 8],
    /// UTF-16LE.
    pub(in crate::auth) target_name: &'a [u8],
    /// AV_PAIRs; empty if the server sent none.
    pub(in crate::auth) target_info: &'a [u8],
}

impl<'a> ChallengeMessage<'a> {
    pub(in crate::auth) fn read(message: &'a [u8]) -> Result<Self, Error> {
        check_type(message, CHALLENGE)?;
        let flags = NegotiateFlags(u32_at(message, 20)?);
        let target_info = if flags.contains(NegotiateFlags::TARGET_INFO) {
            field_at(message, 40)?
        } else {
            &[]
        };
        Ok(Self {
            flags,
            server_challenge: *array_at(message, 24)?,
            target_name: field_at(message, 12)?,
            target_info,
        })
    }

    /// # Errors
    /// [`Error::TooLong`] if the names do not fit their u16 lengths.
    pub(in crate::auth) fn write(&self) -> Result<Vec<u8>, Error> {
        let mut out = head(CHALLENGE);
        let mut offset = CHALLENGE_HEAD;
        write_field(&mut out, self.target_name, &mut offset)?;
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        out.extend_from_slice(&self.server_challenge);
        out.extend_from_slice(&[0; 8]);
        write_field(&mut out, self.target_info, &mut offset)?;
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(self.target_name);
        out.extend_from_slice(self.target_info);
        Ok(out)
    }
}

/// AUTHENTICATE_MESSAGE; names are UTF-16LE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct AuthenticateMessage<'a> {
    pub(in crate::auth) lm_challenge_response: &'a [u8],
    pub(in crate::auth) nt_challenge_response: &'a [u8],
    pub(in crate::auth) domain_name: &'a [u8],
    pub(in crate::auth) user_name: &'a [u8],
    pub(in crate::auth) workstation: &'a [u8],
    pub(in crate::auth) encrypted_random_session_key: &'a [u8],
    pub(in crate::auth) flags: NegotiateFlags,
    /// None if the payload starts before byte 88. Whether it means anything the
    /// MsvAvFlags inside the response say.
    pub(in crate::auth) mic: Option<[u8; 16]>,
}

impl<'a> AuthenticateMessage<'a> {
    const FIELDS: [usize; 6] = [12, 20, 28, 36, 44, 52];

    pub(in crate::auth) fn read(message: &'a [u8]) -> Result<Self, Error> {
        check_type(message, AUTHENTICATE)?;
        let flags = NegotiateFlags(u32_at(message, 60)?);
        let mut values: [&[u8]; 6] = [&[]; 6];
        let mut payload = message.len();
        for (value, at) in values.iter_mut().zip(Self::FIELDS) {
            *value = field_at(message, at)?;
            if !value.is_empty() {
                let offset = u32_at(message, at + 4)?;
                payload = payload.min(usize::try_from(offset).unwrap_or(usize::MAX));
            }
        }
        let mic = (payload >= AUTHENTICATE_HEAD)
            .then(|| array_at(message, MIC).copied())
            .transpose()?;
        let [lm, nt, domain, user, workstation, key] = values;
        Ok(Self {
            lm_challenge_response: lm,
            nt_challenge_response: nt,
            domain_name: domain,
            user_name: user,
            workstation,
            encrypted_random_session_key: key,
            flags,
            mic,
        })
    }

    /// Always with room for a MIC, which is zeros if `mic` is None.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a part does not fit its u16 length.
    pub(in crate::auth) fn write(&self) -> Result<Vec<u8>, Error> {
        let parts = [
            self.domain_name,
            self.user_name,
            self.workstation,
            self.lm_challenge_response,
            self.nt_challenge_response,
            self.encrypted_random_session_key,
        ];
        // The payload's order is Windows': names first, for readers that guess.
        let order = [3, 4, 0, 1, 2, 5];
        let mut out = head(AUTHENTICATE);
        for index in order {
            let before: usize = parts[..index].iter().map(|part| part.len()).sum();
            let mut offset = AUTHENTICATE_HEAD + before;
            write_field(&mut out, parts[index], &mut offset)?;
        }
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(&self.mic.unwrap_or_default());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        Ok(out)
    }

    /// Puts a MIC into a message that has room for one.
    pub(in crate::auth) fn set_mic(message: &mut [u8], mic: &[u8; 16]) {
        if let Some(place) = message.get_mut(MIC..AUTHENTICATE_HEAD) {
            place.copy_from_slice(mic);
        }
    }
}

fn head(message_type: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(AUTHENTICATE_HEAD);
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&message_type.to_le_bytes());
    out
}

fn check_type(message: &[u8], expected: u32) -> Result<(), Error> {
    if !is_ntlmssp(message) {
        return Err(Error::NotNtlmssp);
    }
    match u32_at(message, SIGNATURE.len())? {
        found if found == expected => Ok(()),
        found => Err(Error::MessageType { expected, found }),
    }
}

fn array_at<const N: usize>(message: &[u8], at: usize) -> Result<&[u8; N], Error> {
    message
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .ok_or(Error::Truncated("NTLMSSP message"))
}

fn u32_at(message: &[u8], at: usize) -> Result<u32, Error> {
    array_at(message, at).map(|bytes| u32::from_le_bytes(*bytes))
}

/// What a (length, allocated, offset) triple points to; the offset of an empty one is
/// not looked at, for clients leave anything in it.
fn field_at(message: &[u8], at: usize) -> Result<&[u8], Error> {
    let length = usize::from(u16::from_le_bytes(*array_at(message, at)?));
    let offset = u32_at(message, at + 4)?;
    if length == 0 {
        return Ok(&[]);
    }
    usize::try_from(offset)
        .ok()
        .and_then(|offset| message.get(offset..)?.get(..length))
        .ok_or(Error::Truncated("NTLMSSP payload"))
}

/// Writes the triple for `value` at `offset` and moves that behind it.
fn write_field(out: &mut Vec<u8>, value: &[u8], offset: &mut usize) -> Result<(), Error> {
    let length = u16::try_from(value.len()).map_err(|_| Error::TooLong)?;
    let start = u32::try_from(*offset).map_err(|_| Error::TooLong)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    *offset += value.len();
    Ok(())
}
