//! A client that sees every message: what waits, what is told without being asked for, and
//! in which order.

use smb::wire::{
    CreateRequest, CreateResponse, FileId, HeaderFlags, OplockBreak, Utf16, access_mask, utf16,
};

use super::*;

/// One message from the server.
pub struct Message {
    pub header: Header,
    pub bytes: Vec<u8>,
}

impl Message {
    pub fn status(&self) -> NtStatus {
        self.header.status
    }

    pub fn is_interim(&self) -> bool {
        self.status() == NtStatus::PENDING && self.header.flags.contains(HeaderFlags::ASYNC)
    }

    /// A break: it belongs to no request.
    pub fn is_notification(&self) -> bool {
        self.header.message_id == u64::MAX
    }
}

/// A session on a connection of its own, with one share.
pub struct Raw {
    pub connection: Connection,
    pub session: Session,
    pub tree_id: u32,
}

/// What a CREATE asks for; the rest is as usual.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub access: u32,
    pub share: u32,
    pub disposition: u32,
    pub options: u32,
    pub oplock: u8,
}

/// Reads and writes, shares everything, opens or creates.
pub const SHARED: Wanted = Wanted {
    access: access_mask::FILE_READ_DATA | access_mask::FILE_WRITE_DATA | access_mask::DELETE,
    share: 7,
    disposition: 3,
    options: 0,
    oplock: 0,
};

impl Raw {
    pub async fn connect(scene: &Scene, client: IpAddr, user: &str, share: &str) -> Self {
        let connection = scene.connect(client).await;
        let session = logon(&connection, user).await;
        let tree = session.tree_connect("test", share).await.unwrap();
        Self {
            connection,
            tree_id: tree.id(),
            session,
        }
    }

    /// Sends a request; its MessageId.
    pub async fn send(&self, command: Command, body: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let message = self.session.message(command, self.tree_id, body);
        let message = message.await.unwrap();
        let id = Header::read(&message).unwrap().message_id;
        self.connection.send(&message).await.unwrap();
        id
    }

    /// The next message, whatever it is. What is signed must be so rightly.
    pub async fn receive(&self) -> Message {
        let bytes = self.connection.receive().await.unwrap();
        let header = Header::read(&bytes).unwrap();
        let signed = header.flags.contains(HeaderFlags::SIGNED);
        let unsigned = header.status == NtStatus::PENDING || header.message_id == u64::MAX;
        assert_eq!(signed, !unsigned, "{} {}", header.command, header.status);
        if signed {
            assert!(self.session.verify(&bytes), "{}", header.command);
        }
        Message { header, bytes }
    }

    /// Sends a request and receives the next message, which must be its answer.
    pub async fn ask(&self, command: Command, body: impl FnOnce(&mut Vec<u8>)) -> Message {
        let id = self.send(command, body).await;
        let answer = self.receive().await;
        assert_eq!(
            answer.header.message_id, id,
            "{command} is not answered next"
        );
        answer
    }

    /// As [`Raw::ask`]; an interim response is passed over.
    pub async fn ask_patiently(
        &self,
        command: Command,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Message {
        let id = self.send(command, body).await;
        loop {
            let answer = self.receive().await;
            assert_eq!(
                answer.header.message_id, id,
                "{command} is not answered next"
            );
            if !answer.is_interim() {
                return answer;
            }
        }
    }

    pub async fn send_create(&self, name: &str, wanted: Wanted) -> u64 {
        let name = utf16(name);
        self.send(Command::CREATE, |out| write_create(&name, wanted, out))
            .await
    }

    /// The open and the oplock level granted, or why not.
    pub async fn create(&self, name: &str, wanted: Wanted) -> Result<(FileId, u8), NtStatus> {
        let name = utf16(name);
        let answer = self
            .ask_patiently(Command::CREATE, |out| write_create(&name, wanted, out))
            .await;
        created(&answer)
    }

    pub async fn close(&self, file_id: FileId) -> NtStatus {
        let close = smb::wire::CloseRequest {
            file_id,
            ..smb::wire::CloseRequest::default()
        };
        self.ask_patiently(Command::CLOSE, |out| close.write(out))
            .await
            .status()
    }

    pub async fn echo(&self) -> NtStatus {
        self.ask(Command::ECHO, |out| EchoRequest.write(out))
            .await
            .status()
    }

    pub async fn acknowledge(&self, file_id: FileId, oplock_level: u8) -> Message {
        let acknowledgement = OplockBreak {
            oplock_level,
            file_id,
        };
        self.ask(Command::OPLOCK_BREAK, |out| acknowledgement.write(out))
            .await
    }

    /// CANCEL has no answer.
    pub async fn cancel(&self, message_id: u64, async_id: Option<u64>) {
        let mut header = Header {
            command: Command::CANCEL,
            message_id,
            session_id: self.session.id(),
            tree_id: self.tree_id,
            ..Header::default()
        };
        if let Some(async_id) = async_id {
            header.flags |= HeaderFlags::ASYNC;
            header.async_id = async_id;
        }
        let mut message = header.to_bytes().to_vec();
        // StructureSize and Reserved.
        message.extend([4, 0, 0, 0]);
        self.session.sign(&mut message);
        self.connection.send(&message).await.unwrap();
    }
}

pub fn write_create(name: &[u8], wanted: Wanted, out: &mut Vec<u8>) {
    CreateRequest {
        requested_oplock_level: wanted.oplock,
        impersonation_level: 2,
        desired_access: wanted.access,
        file_attributes: 0,
        share_access: wanted.share,
        create_disposition: wanted.disposition,
        create_options: wanted.options,
        name: Utf16::new(name).unwrap(),
        contexts: smb::wire::CreateContexts::default(),
    }
    .write(out);
}

pub fn created(answer: &Message) -> Result<(FileId, u8), NtStatus> {
    if answer.status() != NtStatus::SUCCESS {
        return Err(answer.status());
    }
    let response = CreateResponse::read(&answer.bytes).unwrap();
    Ok((response.file_id, response.oplock_level))
}
