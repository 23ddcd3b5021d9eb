//! A client with leases: CREATE with a lease context, notifications, acknowledgements.

use smb::Guid;
use smb::wire::create_context::{self, Lease};
use smb::wire::{
    CreateContext, CreateContexts, CreateRequest, CreateResponse, FileId, LeaseBreakAcknowledgment,
    LeaseBreakNotification, Utf16, lease_flags, lease_state, oplock_level, utf16,
};

use super::raw::{Raw, Wanted};
use super::*;

pub const R: u32 = lease_state::SMB2_LEASE_READ_CACHING;
pub const H: u32 = lease_state::SMB2_LEASE_HANDLE_CACHING;
pub const W: u32 = lease_state::SMB2_LEASE_WRITE_CACHING;

/// Names a lease of a client.
pub fn key(number: u8) -> Guid {
    Guid([number; 16])
}

/// A lease of the first version.
pub fn version_1(number: u8, lease_state: u32) -> Lease {
    Lease {
        lease_key: key(number),
        lease_state,
        ..Lease::default()
    }
}

/// A lease of the second version, whose directory has no lease.
pub fn version_2(number: u8, lease_state: u32, epoch: u16) -> Lease {
    Lease {
        version_2: Some((Guid::default(), epoch)),
        ..version_1(number, lease_state)
    }
}

/// A lease of the second version, with that of its directory.
pub fn below(parent: u8, number: u8, lease_state: u32) -> Lease {
    Lease {
        lease_flags: lease_flags::SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET,
        version_2: Some((key(parent), 0)),
        ..version_1(number, lease_state)
    }
}

/// A connection of the client that this GUID names.
pub async fn connect(scene: &Scene, guid: u8, user: &str, share: &str) -> Raw {
    let mut negotiation = Negotiation::new("test").unwrap();
    negotiation.client_guid = key(guid);
    let (connection, _) = scene.negotiate(ALICE, &negotiation).await;
    Raw::on(connection, user, share).await
}

impl Raw {
    pub async fn send_create_leased(&self, name: &str, wanted: Wanted, lease: Lease) -> u64 {
        let name = utf16(name);
        let data = lease.to_bytes();
        let contexts = [CreateContext {
            name: create_context::name::SMB2_CREATE_REQUEST_LEASE,
            data: &data,
        }];
        let request = CreateRequest {
            requested_oplock_level: oplock_level::SMB2_OPLOCK_LEVEL_LEASE,
            impersonation_level: 2,
            desired_access: wanted.access,
            share_access: wanted.share,
            create_disposition: wanted.disposition,
            create_options: wanted.options,
            name: Utf16::new(&name).unwrap(),
            contexts: CreateContexts::from(&contexts[..]),
            ..CreateRequest::default()
        };
        self.send(Command::CREATE, |out| request.write(out)).await
    }

    /// The open and the lease granted. It must be granted at once.
    pub async fn create_leased(
        &self,
        name: &str,
        wanted: Wanted,
        lease: Lease,
    ) -> Result<(FileId, Lease), NtStatus> {
        let id = self.send_create_leased(name, wanted, lease).await;
        let answer = self.end(id).await;
        if answer.status() != NtStatus::SUCCESS {
            return Err(answer.status());
        }
        let response = CreateResponse::read(&answer.bytes).unwrap();
        assert_eq!(response.oplock_level, oplock_level::SMB2_OPLOCK_LEVEL_LEASE);
        let name = create_context::name::SMB2_CREATE_REQUEST_LEASE;
        let granted = response.contexts.find(name).unwrap();
        Ok((response.file_id, Lease::read(granted.data).unwrap()))
    }

    /// The next message, which must be a break of a lease.
    pub async fn lease_break(&self) -> LeaseBreakNotification {
        let message = self.receive().await;
        assert!(message.is_notification(), "{}", message.header.command);
        assert_eq!(message.header.session_id, 0);
        LeaseBreakNotification::read(&message.bytes).unwrap()
    }

    /// The next message must be a break of this lease from one state to another; its epoch.
    pub async fn breaks(&self, number: u8, from: u32, to: u32) -> u16 {
        let notice = self.lease_break().await;
        assert_eq!(notice.lease_key, key(number));
        let states = (notice.current_lease_state, notice.new_lease_state);
        assert_eq!(states, (from, to));
        // Who only read has nothing to give back.
        assert_eq!(notice.flags, u32::from(from != R));
        notice.new_epoch
    }

    pub async fn acknowledge_lease(&self, number: u8, lease_state: u32) -> NtStatus {
        let acknowledgement = LeaseBreakAcknowledgment {
            lease_key: key(number),
            lease_state,
        };
        let id = self
            .send(Command::OPLOCK_BREAK, |out| acknowledgement.write(out))
            .await;
        let answer = self.end(id).await;
        if answer.status() == NtStatus::SUCCESS {
            let kept = LeaseBreakAcknowledgment::read(&answer.bytes).unwrap();
            assert_eq!(kept, acknowledgement);
        }
        answer.status()
    }
}
