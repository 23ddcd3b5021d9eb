//! Security identifiers ([MS-DTYP] 2.4.2).

use std::fmt;
use std::str::FromStr;

use crate::wire::{Error, codec};

/// SubAuthorities of one SID ([MS-DTYP] 2.4.2.2).
pub const MAX_SUB_AUTHORITIES: usize = 15;

/// Revision, SubAuthorityCount and IdentifierAuthority.
const FIXED: usize = 8;
const REVISION: u8 = 1;
/// IdentifierAuthority has 48 bits.
const MAX_AUTHORITY: u64 = (1 << 48) - 1;

/// A security identifier. Ordered by no rule that matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    authority: u64,
    count: u8,
    /// Zero behind `count`.
    sub_authorities: [u32; MAX_SUB_AUTHORITIES],
}

/// A text is no SID in printed form (`S-1-5-32-544`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a security identifier; it looks like S-1-5-32-544")]
pub struct ParseSidError;

impl Sid {
    /// CREATOR OWNER: in an inheritable ACE, whoever makes the child.
    pub const CREATOR_OWNER: Self = Self::new(3, &[0]);
    /// CREATOR GROUP: the primary group of whoever makes the child.
    pub const CREATOR_GROUP: Self = Self::new(3, &[1]);
    /// OWNER RIGHTS: what the owner may, instead of READ_CONTROL and WRITE_DAC.
    pub const OWNER_RIGHTS: Self = Self::new(3, &[4]);
    /// Everyone.
    pub const EVERYONE: Self = Self::new(1, &[0]);
    /// NT AUTHORITY\NETWORK.
    pub const NETWORK: Self = Self::new(5, &[2]);
    /// NT AUTHORITY\ANONYMOUS LOGON.
    pub const ANONYMOUS: Self = Self::new(5, &[7]);
    /// NT AUTHORITY\Authenticated Users.
    pub const AUTHENTICATED_USERS: Self = Self::new(5, &[11]);
    /// NT AUTHORITY\SYSTEM.
    pub const LOCAL_SYSTEM: Self = Self::new(5, &[18]);
    /// BUILTIN\Administrators.
    pub const ADMINISTRATORS: Self = Self::new(5, &[32, 544]);
    /// BUILTIN\Users.
    pub const USERS: Self = Self::new(5, &[32, 545]);

    /// `S-1-AUTHORITY-…`.
    ///
    /// # Panics
    /// With more than [`MAX_SUB_AUTHORITIES`], or an authority of more than 48 bits.
    pub const fn new(authority: u64, sub_authorities: &[u32]) -> Self {
        assert!(authority <= MAX_AUTHORITY);
        assert!(sub_authorities.len() <= MAX_SUB_AUTHORITIES);
        let mut all = [0; MAX_SUB_AUTHORITIES];
        let mut index = 0;
        while index < sub_authorities.len() {
            all[index] = sub_authorities[index];
            index += 1;
        }
        Self {
            authority,
            count: sub_authorities.len() as u8,
            sub_authorities: all,
        }
    }

    /// IdentifierAuthority, 48 bits.
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// SubAuthority, in order.
    pub fn sub_authorities(&self) -> &[u32] {
        &self.sub_authorities[..usize::from(self.count)]
    }

    /// The same with another last SubAuthority: a neighbour in its domain. `None` for a SID
    /// without SubAuthorities.
    pub fn with_rid(mut self, rid: u32) -> Option<Self> {
        let last = usize::from(self.count).checked_sub(1)?;
        self.sub_authorities[last] = rid;
        Some(self)
    }

    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        FIXED + 4 * usize::from(self.count)
    }

    /// Reads a SID from the front of `bytes`.
    ///
    /// # Errors
    /// [`Error`] if it is cut, has another revision, or more than [`MAX_SUB_AUTHORITIES`].
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "SID";
        let (&[revision, count, authority @ ..], rest) = codec::prefix::<[u8; FIXED]>(WHAT, bytes)?;
        if revision != REVISION {
            return Err(Error::Revision {
                what: WHAT,
                found: revision,
            });
        }
        if usize::from(count) > MAX_SUB_AUTHORITIES {
            return Err(Error::Count {
                what: WHAT,
                count: count.into(),
                limit: MAX_SUB_AUTHORITIES,
            });
        }
        let needed = 4 * usize::from(count);
        let sub_authorities = rest.get(..needed).ok_or(Error::Truncated {
            what: WHAT,
            needed: FIXED + needed,
            available: bytes.len(),
        })?;
        let mut sid = Self {
            authority: authority
                .iter()
                .fold(0, |all, &byte| all << 8 | u64::from(byte)),
            count,
            sub_authorities: [0; MAX_SUB_AUTHORITIES],
        };
        let (numbers, _) = sub_authorities.as_chunks();
        for (to, from) in sid.sub_authorities.iter_mut().zip(numbers) {
            *to = u32::from_le_bytes(*from);
        }
        Ok(sid)
    }

    /// Appends the SID.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend([REVISION, self.count]);
        out.extend(&self.authority.to_be_bytes()[2..]);
        for number in self.sub_authorities() {
            out.extend(number.to_le_bytes());
        }
    }
}

impl FromStr for Sid {
    type Err = ParseSidError;

    fn from_str(text: &str) -> Result<Self, ParseSidError> {
        let mut parts = text.split('-');
        let mut part = || parts.next();
        if !part().is_some_and(|part| part.eq_ignore_ascii_case("S")) || part() != Some("1") {
            return Err(ParseSidError);
        }
        let authority = part().ok_or(ParseSidError)?;
        let authority = match authority.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => authority.parse(),
        };
        let authority = authority.map_err(|_| ParseSidError)?;
        let mut sub_authorities = Vec::new();
        for part in parts {
            if sub_authorities.len() == MAX_SUB_AUTHORITIES {
                return Err(ParseSidError);
            }
            sub_authorities.push(part.parse().map_err(|_| ParseSidError)?);
        }
        if authority > MAX_AUTHORITY {
            return Err(ParseSidError);
        }
        Ok(Self::new(authority, &sub_authorities))
    }
}

/// The printed form ([MS-DTYP] 2.4.2.1): an authority of more than 32 bits in hexadecimal.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.authority) {
            Ok(authority) => write!(f, "S-1-{authority}")?,
            Err(_) => write!(f, "S-1-0x{:012x}", self.authority)?,
        }
        for number in self.sub_authorities() {
            write!(f, "-{number}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
