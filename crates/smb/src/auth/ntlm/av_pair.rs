//! AV_PAIR lists ([MS-NLMP] 2.2.2.1).

use crate::auth::Error;

/// AvId. Open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::auth) struct AvId(pub(in crate::auth) u16);

impl AvId {
    pub(in crate::auth) const EOL: Self = Self(0);
    pub(in crate::auth) const NB_COMPUTER_NAME: Self = Self(1);
    pub(in crate::auth) const NB_DOMAIN_NAME: Self = Self(2);
    pub(in crate::auth) const DNS_COMPUTER_NAME: Self = Self(3);
    pub(in crate::auth) const DNS_DOMAIN_NAME: Self = Self(4);
    pub(in crate::auth) const FLAGS: Self = Self(6);
    pub(in crate::auth) const TIMESTAMP: Self = Self(7);
    pub(in crate::auth) const TARGET_NAME: Self = Self(9);
    pub(in crate::auth) const CHANNEL_BINDINGS: Self = Self(10);
}

/// MsvAvFlags: the AUTHENTICATE_MESSAGE has a MIC.
pub(in crate::auth) const MSV_AV_FLAG_MIC: u32 = 0x0000_0002;

/// A list as read, up to its MsvAvEOL or its end, which some clients let pass for one.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth) struct AvPairs<'a>(&'a [u8]);

impl<'a> AvPairs<'a> {
    pub(in crate::auth) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next pair, None at the end of the list.
    pub(in crate::auth) fn next(&mut self) -> Result<Option<(AvId, &'a [u8])>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let truncated = Error::Truncated("AV_PAIR");
        let (head, rest) = self.0.split_first_chunk::<4>().ok_or(truncated)?;
        let id = AvId(u16::from_le_bytes([head[0], head[1]]));
        if id == AvId::EOL {
            self.0 = &[];
            return Ok(None);
        }
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (value, rest) = rest.split_at_checked(length).ok_or(truncated)?;
        self.0 = rest;
        Ok(Some((id, value)))
    }

    /// The value of the first pair with this id. Errors if the list is broken before it.
    pub(in crate::auth) fn find(mut self, wanted: AvId) -> Result<Option<&'a [u8]>, Error> {
        while let Some((id, value)) = self.next()? {
            if id == wanted {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Errors if the list is broken before its end.
    pub(in crate::auth) fn check(mut self) -> Result<(), Error> {
        while self.next()?.is_some() {}
        Ok(())
    }

    /// MsvAvFlags, 0 if absent.
    pub(in crate::auth) fn flags(self) -> Result<u32, Error> {
        match self.find(AvId::FLAGS)? {
            None => Ok(0),
            Some(value) => {
                let bytes = value
                    .try_into()
                    .map_err(|_| Error::Truncated("MsvAvFlags"))?;
                Ok(u32::from_le_bytes(bytes))
            }
        }
    }

    /// Appends one pair; a value too long for its u16 length is left out.
    pub(in crate::auth) fn write(out: &mut Vec<u8>, id: AvId, value: &[u8]) {
        if let Ok(length) = u16::try_from(value.len()) {
            out.extend_from_slice(&id.0.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(value);
        }
    }
}
