//! IOCTL ([MS-SMB2] 3.3.5.15).

mod file;

use std::net::IpAddr;
use std::sync::PoisonError;

use smb::NtStatus;
use smb::wire::ioctl::{
    NetworkInterfaceInfo, SMB2_0_IOCTL_IS_FSCTL, ValidateNegotiateInfoRequest,
    ValidateNegotiateInfoResponse, network_interfaces,
};
use smb::wire::{Dialect, IoctlRequest, IoctlResponse, fsctl};

use super::negotiate::{capabilities, security_mode};
use crate::application::Ending;
use crate::core::Core;
use crate::open::OpenKind;
use crate::pipe::{PipeMode, Taken};
use crate::request::{Answer, Done, Failure, Request};
use crate::share::Waiting;
pub(super) use file::volume_object_id;

/// Bits per second that a network interface is said to have: it only ranks interfaces.
const LINK_SPEED: u64 = 1_000_000_000;

pub(super) fn ioctl(
    core: &Core,
    request: &Request<'_>,
    waiting: Waiting,
    out: &mut Vec<u8>,
) -> Answer {
    let ioctl = IoctlRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    if ioctl.flags & SMB2_0_IOCTL_IS_FSCTL == 0 {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let payload = (ioctl.input.len() as u32).max(ioctl.max_output_response);
    request.check_charge(payload)?;
    let charge = request.reserve_answer(ioctl.max_output_response)?;
    let mut close_after_reply = Vec::new();
    let (status, output) = match ioctl.ctl_code {
        fsctl::FSCTL_PIPE_TRANSCEIVE => transceive(request, &ioctl, &mut close_after_reply)?,
        fsctl::FSCTL_VALIDATE_NEGOTIATE_INFO => (
            NtStatus::SUCCESS,
            validate_negotiate(core, request, &ioctl)?,
        ),
        fsctl::FSCTL_QUERY_NETWORK_INTERFACE_INFO => (NtStatus::SUCCESS, interfaces(core, &ioctl)?),
        fsctl::FSCTL_PIPE_WAIT => {
            pipe_wait(core, ioctl.input)?;
            (NtStatus::SUCCESS, Vec::new())
        }
        fsctl::FSCTL_DFS_GET_REFERRALS | fsctl::FSCTL_DFS_GET_REFERRALS_EX => {
            return Err(NtStatus::FS_DRIVER_REQUIRED.into());
        }
        _ => {
            // The handle is looked at before the code: a client that mistook it should hear.
            let open = request.open(ioctl.file_id)?;
            let OpenKind::File(file) = &open.kind else {
                return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
            };
            let control = file::Control {
                core,
                open: &open,
                file,
                ioctl: &ioctl,
                now: request.now,
                waiting,
            };
            control.run()?
        }
    };
    IoctlResponse {
        ctl_code: ioctl.ctl_code,
        file_id: ioctl.file_id,
        flags: 0,
        input: &[],
        output: &output,
    }
    .write(out);
    let mut done = Done::from(status);
    done.close_after_reply = close_after_reply;
    done.charge = charge;
    Ok(done)
}

/// Writes a message and reads one of the answer ([MS-FSCC] 2.3.49), in either mode: clients
/// send it without having asked for message mode, and take what comes for one fragment.
fn transceive(
    request: &Request<'_>,
    ioctl: &IoctlRequest<'_>,
    close_after_reply: &mut Vec<Ending>,
) -> Result<(NtStatus, Vec<u8>), NtStatus> {
    let open = request.open(ioctl.file_id)?;
    let OpenKind::Pipe(pipe) = &open.kind else {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    };
    let length = ioctl.max_output_response as usize;
    let mode = PipeMode {
        messages: true,
        ..pipe.mode()
    };
    let mut output = Vec::new();
    let taken = pipe.with(ioctl.input.len(), close_after_reply, |instance| {
        if instance.available() > 0 {
            // An answer nobody has read is in the way.
            return Err(NtStatus::PIPE_BUSY);
        }
        instance.write(ioctl.input)?;
        mode.read(instance, length, &mut output)
    })??;
    let status = match taken {
        Taken::PartOfMessage => NtStatus::BUFFER_OVERFLOW,
        // A fragment that is not the last has no answer yet.
        Taken::Data | Taken::Nothing => NtStatus::SUCCESS,
    };
    Ok((status, output))
}

/// [MS-SMB2] 3.3.5.15.12. A difference means that somebody changed the NEGOTIATE.
fn validate_negotiate(
    core: &Core,
    request: &Request<'_>,
    ioctl: &IoctlRequest<'_>,
) -> Result<Vec<u8>, Failure> {
    let negotiated = request.negotiated.ok_or(NtStatus::INVALID_PARAMETER)?;
    let said =
        ValidateNegotiateInfoRequest::read(ioctl.input).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let config = &core.config;
    let best = [0x0311u16, 0x0302, 0x0300, 0x0210, 0x0202]
        .into_iter()
        .filter(|dialect| (config.min_dialect..=config.max_dialect).contains(dialect))
        .find(|dialect| said.dialects.contains(dialect));
    let same = said.guid == negotiated.client_guid
        && said.capabilities == negotiated.client_capabilities
        && said.security_mode == negotiated.client_security_mode
        && best == Some(negotiated.dialect);
    if negotiated.dialect == 0x0311 || !same {
        return Err(Failure::Disconnect(
            "FSCTL_VALIDATE_NEGOTIATE_INFO does not match NEGOTIATE",
        ));
    }
    let answer = ValidateNegotiateInfoResponse {
        capabilities: capabilities(&negotiated, negotiated.dialect),
        guid: core.server_guid,
        security_mode: security_mode(config),
        dialect: Dialect(negotiated.dialect),
    }
    .to_bytes();
    if answer.len() > ioctl.max_output_response as usize {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    Ok(answer)
}

/// The addresses that this server listens on ([MS-SMB2] 2.2.32.5).
fn interfaces(core: &Core, ioctl: &IoctlRequest<'_>) -> Result<Vec<u8>, NtStatus> {
    // [MS-SMB2] 3.3.5.15.11: it is a question to the server, of no file.
    if (ioctl.file_id.persistent, ioctl.file_id.volatile) != (u64::MAX, u64::MAX) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let addresses = core
        .addresses
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut known: Vec<IpAddr> = addresses.iter().map(|address| address.ip()).collect();
    drop(addresses);
    known.retain(|address| !address.is_unspecified());
    known.dedup();
    let interfaces: Vec<_> = known
        .into_iter()
        .enumerate()
        .map(|(index, address)| NetworkInterfaceInfo {
            if_index: index as u32 + 1,
            capability: 0,
            link_speed: LINK_SPEED,
            address,
        })
        .collect();
    let bytes = network_interfaces(&interfaces);
    if bytes.len() > ioctl.max_output_response as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(bytes)
}

/// [MS-FSCC] 2.3.31: our pipes always have an instance free.
fn pipe_wait(core: &Core, input: &[u8]) -> Result<(), NtStatus> {
    // Timeout 8, NameLength 4, TimeoutSpecified 1, padding 1, Name.
    let length = input
        .get(8..12)
        .and_then(|bytes| bytes.first_chunk())
        .map(|bytes| u32::from_le_bytes(*bytes) as usize)
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    let name = input
        .get(14..)
        .and_then(|name| name.get(..length))
        .ok_or(NtStatus::INVALID_PARAMETER)?;
    let name = smb::wire::Utf16::new(name)
        .and_then(smb::wire::Utf16::to_string)
        .map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let pipes = core.pipes.read().unwrap_or_else(PoisonError::into_inner);
    match pipes.contains_key(name.to_lowercase().as_str()) {
        true => Ok(()),
        false => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
    }
}
