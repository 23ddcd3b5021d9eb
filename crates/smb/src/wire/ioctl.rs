//! IOCTL ([MS-SMB2] 2.2.31, 2.2.32) and the structures it carries.

use std::net::IpAddr;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::header::RawFileId;
use super::{Dialect, Error, FileId, Header, codec};
use crate::Guid;

/// Flags: the control code is an FSCTL. Without it the request is invalid.
pub const SMB2_0_IOCTL_IS_FSCTL: u32 = 0x0000_0001;

/// IOCTL request ([MS-SMB2] 2.2.31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoctlRequest<'a> {
    /// [`fsctl`](super::fsctl). Open.
    pub ctl_code: u32,
    /// The open; all ones if the code needs none.
    pub file_id: FileId,
    /// Bytes of input accepted in the response.
    pub max_input_response: u32,
    /// Bytes of output accepted in the response.
    pub max_output_response: u32,
    /// [`SMB2_0_IOCTL_IS_FSCTL`] or 0.
    pub flags: u32,
    /// The input.
    pub input: &'a [u8],
    /// Output sent along, which nobody needs; clients leave any OutputOffset with it.
    pub output: &'a [u8],
}

/// IOCTL response ([MS-SMB2] 2.2.32).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoctlResponse<'a> {
    /// As in the request.
    pub ctl_code: u32,
    /// As in the request.
    pub file_id: FileId,
    /// Flags, 0.
    pub flags: u32,
    /// The input sent back, for codes that do so.
    pub input: &'a [u8],
    /// The output.
    pub output: &'a [u8],
}

fixed!(Request, "IOCTL request", 57 {
    reserved: U16,
    ctl_code: U32,
    file_id: RawFileId,
    input_offset: U32,
    input_count: U32,
    max_input_response: U32,
    output_offset: U32,
    output_count: U32,
    max_output_response: U32,
    flags: U32,
    reserved2: U32,
});

fixed!(Response, "IOCTL response", 49 {
    reserved: U16,
    ctl_code: U32,
    file_id: RawFileId,
    input_offset: U32,
    input_count: U32,
    output_offset: U32,
    output_count: U32,
    flags: U32,
    reserved2: U32,
});

impl<'a> IoctlRequest<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a request.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Request>(message)?;
        let part = |what, offset: U32, count: U32| {
            codec::variable::<Request>(message, what, offset.get(), count.get())
        };
        Ok(Self {
            ctl_code: fixed.ctl_code.get(),
            file_id: fixed.file_id.into(),
            max_input_response: fixed.max_input_response.get(),
            max_output_response: fixed.max_output_response.get(),
            flags: fixed.flags.get(),
            input: part("IOCTL request input", fixed.input_offset, fixed.input_count)?,
            output: part(
                "IOCTL request output",
                fixed.output_offset,
                fixed.output_count,
            )?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut parts = Parts::new(size_of::<Request>(), self.input, self.output);
        if self.output.is_empty() {
            // Samba refuses an offset behind the end, even of nothing.
            parts.output_offset = U32::ZERO;
        }
        let fixed = Request {
            structure_size: U16::new(57),
            reserved: U16::ZERO,
            ctl_code: self.ctl_code.into(),
            file_id: self.file_id.into(),
            input_offset: parts.input_offset,
            input_count: parts.input_count,
            max_input_response: self.max_input_response.into(),
            output_offset: parts.output_offset,
            output_count: parts.output_count,
            max_output_response: self.max_output_response.into(),
            flags: self.flags.into(),
            reserved2: U32::ZERO,
        };
        let start = out.len();
        codec::put(out, &fixed);
        if self.input.is_empty() && self.output.is_empty() {
            out.push(0);
        }
        parts.write(out, start);
    }
}

impl<'a> IoctlResponse<'a> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not such a response.
    pub fn read(message: &'a [u8]) -> Result<Self, Error> {
        let fixed = codec::body::<Response>(message)?;
        let part = |what, offset: U32, count: U32| {
            codec::variable::<Response>(message, what, offset.get(), count.get())
        };
        Ok(Self {
            ctl_code: fixed.ctl_code.get(),
            file_id: fixed.file_id.into(),
            flags: fixed.flags.get(),
            input: part(
                "IOCTL response input",
                fixed.input_offset,
                fixed.input_count,
            )?,
            output: part(
                "IOCTL response output",
                fixed.output_offset,
                fixed.output_count,
            )?,
        })
    }

    /// Appends the body.
    pub fn write(&self, out: &mut Vec<u8>) {
        let parts = Parts::new(size_of::<Response>(), self.input, self.output);
        let fixed = Response {
            structure_size: U16::new(49),
            reserved: U16::ZERO,
            ctl_code: self.ctl_code.into(),
            file_id: self.file_id.into(),
            input_offset: parts.input_offset,
            input_count: parts.input_count,
            output_offset: parts.output_offset,
            output_count: parts.output_count,
            flags: self.flags.into(),
            reserved2: U32::ZERO,
        };
        let start = out.len();
        codec::put(out, &fixed);
        parts.write(out, start);
    }
}

/// Where input and output go: the output at the next multiple of eight.
struct Parts<'a> {
    input: &'a [u8],
    output: &'a [u8],
    input_offset: U32,
    input_count: U32,
    output_offset: U32,
    output_count: U32,
}

impl<'a> Parts<'a> {
    fn new(fixed: usize, input: &'a [u8], output: &'a [u8]) -> Self {
        let (input, input_count) = codec::clip_long(input);
        let (output, output_count) = codec::clip_long(output);
        let input_offset = Header::SIZE + fixed;
        let output_offset = (input_offset + input.len()).next_multiple_of(8);
        Self {
            input,
            output,
            input_offset: U32::new(input_offset as u32),
            input_count: input_count.into(),
            output_offset: U32::new(output_offset as u32),
            output_count: output_count.into(),
        }
    }

    fn write(&self, out: &mut Vec<u8>, start: usize) {
        out.extend_from_slice(self.input);
        if !self.output.is_empty() {
            codec::align(out, start);
            out.extend_from_slice(self.output);
        }
    }
}

/// Input of FSCTL_VALIDATE_NEGOTIATE_INFO ([MS-SMB2] 2.2.31.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidateNegotiateInfoRequest {
    /// As in the NEGOTIATE request.
    pub capabilities: u32,
    /// As in the NEGOTIATE request.
    pub guid: Guid,
    /// As in the NEGOTIATE request.
    pub security_mode: u16,
    /// As in the NEGOTIATE request.
    pub dialects: Vec<u16>,
}

/// Output of FSCTL_VALIDATE_NEGOTIATE_INFO ([MS-SMB2] 2.2.32.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValidateNegotiateInfoResponse {
    /// As in the NEGOTIATE response.
    pub capabilities: u32,
    /// As in the NEGOTIATE response.
    pub guid: Guid,
    /// As in the NEGOTIATE response.
    pub security_mode: u16,
    /// As in the NEGOTIATE response.
    pub dialect: Dialect,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct ValidateLayout {
    capabilities: U32,
    guid: [u8; 16],
    security_mode: U16,
    // DialectCount in the request, Dialect in the response.
    dialect: U16,
}

impl ValidateNegotiateInfoRequest {
    /// Reads the IOCTL's input.
    ///
    /// # Errors
    /// [`Error`] if it is shorter than its count says.
    pub fn read(input: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "VALIDATE_NEGOTIATE_INFO request";
        let (layout, rest) = codec::prefix::<ValidateLayout>(WHAT, input)?;
        let length = usize::from(layout.dialect.get()) * 2;
        Ok(Self {
            capabilities: layout.capabilities.get(),
            guid: Guid(layout.guid),
            security_mode: layout.security_mode.get(),
            dialects: codec::u16s(codec::within(rest, WHAT, 0, 0, length)?),
        })
    }

    /// The IOCTL's input.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + self.dialects.len() * 2);
        let layout = ValidateLayout {
            capabilities: self.capabilities.into(),
            guid: self.guid.0,
            security_mode: self.security_mode.into(),
            dialect: U16::new(self.dialects.len() as u16),
        };
        codec::put(&mut out, &layout);
        codec::put_u16s(&mut out, &self.dialects);
        out
    }
}

impl ValidateNegotiateInfoResponse {
    /// Reads the IOCTL's output.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn read(output: &[u8]) -> Result<Self, Error> {
        const WHAT: &str = "VALIDATE_NEGOTIATE_INFO response";
        let (layout, _) = codec::prefix::<ValidateLayout>(WHAT, output)?;
        Ok(Self {
            capabilities: layout.capabilities.get(),
            guid: Guid(layout.guid),
            security_mode: layout.security_mode.get(),
            dialect: Dialect(layout.dialect.get()),
        })
    }

    /// The IOCTL's output.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        let layout = ValidateLayout {
            capabilities: self.capabilities.into(),
            guid: self.guid.0,
            security_mode: self.security_mode.into(),
            dialect: self.dialect.0.into(),
        };
        codec::put(&mut out, &layout);
        out
    }
}

/// NETWORK_INTERFACE_INFO ([MS-SMB2] 2.2.32.5): one address of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkInterfaceInfo {
    /// The interface's number.
    pub if_index: u32,
    /// 1 RSS_CAPABLE, 2 RDMA_CAPABLE.
    pub capability: u32,
    /// Bits per second.
    pub link_speed: u64,
    /// The address.
    pub address: IpAddr,
}

/// Bytes of one NETWORK_INTERFACE_INFO: the head and a SOCKADDR_STORAGE of 128.
const NETWORK_INTERFACE_INFO: usize = 24 + 128;

/// Family of an IPv4 address, as Windows numbers it ([MS-SMB2] 2.2.32.5.1).
const INTER_NETWORK: u16 = 0x0002;
/// Family of an IPv6 address.
const INTER_NETWORK_V6: u16 = 0x0017;

/// The output of FSCTL_QUERY_NETWORK_INTERFACE_INFO.
pub fn network_interfaces(interfaces: &[NetworkInterfaceInfo]) -> Vec<u8> {
    let mut out = Vec::with_capacity(interfaces.len() * NETWORK_INTERFACE_INFO);
    for (index, interface) in interfaces.iter().enumerate() {
        let start = out.len();
        let next = match index + 1 < interfaces.len() {
            true => NETWORK_INTERFACE_INFO as u32,
            false => 0,
        };
        codec::put(
            &mut out,
            &[next, interface.if_index, interface.capability, 0].map(U32::new),
        );
        codec::put(&mut out, &U64::new(interface.link_speed));
        match interface.address {
            IpAddr::V4(address) => {
                codec::put_u16s(&mut out, &[INTER_NETWORK, 0]);
                out.extend_from_slice(&address.octets());
            }
            IpAddr::V6(address) => {
                // Family, port, flow information.
                codec::put_u16s(&mut out, &[INTER_NETWORK_V6, 0, 0, 0]);
                out.extend_from_slice(&address.octets());
            }
        }
        out.resize(start + NETWORK_INTERFACE_INFO, 0);
    }
    out
}
