//! TREE_CONNECT ([MS-SMB2] 2.2.9, 2.2.10).

use zerocopy::little_endian::{U16, U32};

use super::{Error, Header, Utf16, codec};

/// TREE_CONNECT request ([MS-SMB2] 2.2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeConnectRequest<'a> {
    /// SMB2_TREE_CONNECT_FLAG_*; reserved before 3.1.1.
    pub flags: u16,
    /// `\\server\share`. At most 65534 bytes are written.
    pub path: Utf16<'a>,
}

/// TREE_CONNECT response ([MS-SMB2] 2.2.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeConnectResponse {
    /// [`share_type`](super::share_type).
    pub share_type: u8,
    /// [`share_flags`](super::share_flags).
    pub share_flags: u32,
    /// [`share_capabilities`](super::share_capabilities).
    pub capabilities: u32,
    /// What the user may do at most: [`access_mask`](super::access_mask).
    pub maximal_access: u32,
}

fixed!(Request, "TREE_CONNECT request", 9 {
    flags: U16,
    path_offset: U16,
    path_length: U16,
});

fixed!(Response, "TREE_CONNECT response", 16 {
    share_type: u8,
    reserved: u8,
    share_flags: U32,
    capabilities: U32,
    maximal_access: U32,
});

impl<'a> TreeConnectRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        Ok(Self {
            flags: fixed.flags.get(),
            path: Utf16::new(codec::variable::<Request>(
                message,
                "TREE_CONNECT request PathName",
                fixed.path_offset.get(),
                fixed.path_length.get(),
            )?)?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (path, path_length) = codec::clip(self.path.as_bytes());
        let fixed = Request {
            structure_size: U16::new(9),
            flags: self.flags.into(),
            path_offset: U16::new((Header::SIZE + size_of::<Request>()) as u16),
            path_length: path_length.into(),
        };
        codec::put(out, &fixed);
        codec::put_variable(out, path);
    }
}

impl TreeConnectResponse {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        Ok(Self {
            share_type: fixed.share_type,
            share_flags: fixed.share_flags.get(),
            capabilities: fixed.capabilities.get(),
            maximal_access: fixed.maximal_access.get(),
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let fixed = Response {
            structure_size: U16::new(16),
            share_type: self.share_type,
            reserved: 0,
            share_flags: self.share_flags.into(),
            capabilities: self.capabilities.into(),
            maximal_access: self.maximal_access.into(),
        };
        codec::put(out, &fixed);
    }
}
