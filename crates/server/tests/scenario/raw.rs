//! A client that sees every message: what waits, what is told without being asked for, and
//! in which order.

use smb::wire::info::FileRenameInformation;
use smb::wire::{
    CloseRequest, CreateRequest, CreateResponse, FileId, HeaderFlags, OplockBreak, ReadRequest,
    SetInfoRequest, Utf16, WriteRequest, access_mask, file_information_class, info_type, utf16,
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
        Self::on(scene.connect(client).await, user, share).await
    }

    /// A further session on a connection.
    pub async fn on(connection: Connection, user: &str, share: &str) -> Self {
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
        let mut messages = self.receive_all().await;
        assert_eq!(messages.len(), 1, "messages of a compound");
        messages.remove(0)
    }

    /// The messages of the next frame.
    pub async fn receive_all(&self) -> Vec<Message> {
        let frame = self.connection.receive().await.unwrap();
        let (mut messages, mut rest) = (Vec::new(), &frame[..]);
        loop {
            let header = Header::read(rest).unwrap();
            let length = match header.next_command as usize {
                0 => rest.len(),
                next => next,
            };
            let (message, behind) = rest.split_at(length);
            messages.push(self.message(header, message));
            rest = behind;
            if rest.is_empty() {
                return messages;
            }
        }
    }

    fn message(&self, header: Header, bytes: &[u8]) -> Message {
        let signed = header.flags.contains(HeaderFlags::SIGNED);
        let unsigned = header.status == NtStatus::PENDING || header.message_id == u64::MAX;
        assert_eq!(signed, !unsigned, "{} {}", header.command, header.status);
        if signed {
            assert!(self.session.verify(bytes), "{}", header.command);
        }
        Message {
            header,
            bytes: bytes.to_vec(),
        }
    }

    /// Sends requests as one frame: which command, whether it builds on the one before, and
    /// its body. Their MessageIds.
    pub async fn send_compound(&self, requests: &[(Command, bool, Vec<u8>)]) -> Vec<u64> {
        let (mut frame, mut ids) = (Vec::new(), Vec::new());
        for (index, (command, related, body)) in requests.iter().enumerate() {
            let mut message = self
                .session
                .message(*command, self.tree_id, |out| out.extend_from_slice(body))
                .await
                .unwrap();
            let mut header = Header::read(&message).unwrap();
            ids.push(header.message_id);
            if *related {
                header.flags |= HeaderFlags::RELATED;
            }
            if index + 1 < requests.len() {
                message.resize(message.len().next_multiple_of(8), 0);
                header.next_command = message.len() as u32;
            }
            header.signature = [0; 16];
            message[..Header::SIZE].copy_from_slice(&header.to_bytes());
            self.session.sign(&mut message);
            frame.extend(message);
        }
        self.connection.send(&frame).await.unwrap();
        ids
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
        let id = self.send_close(file_id).await;
        loop {
            let answer = self.receive().await;
            assert_eq!(answer.header.message_id, id, "CLOSE is not answered next");
            if !answer.is_interim() {
                return answer.status();
            }
        }
    }

    pub async fn send_close(&self, file_id: FileId) -> u64 {
        let close = CloseRequest {
            file_id,
            ..CloseRequest::default()
        };
        self.send(Command::CLOSE, |out| close.write(out)).await
    }

    pub async fn send_read(&self, file_id: FileId, offset: u64, length: u32) -> u64 {
        let read = ReadRequest {
            file_id,
            offset,
            length,
            ..ReadRequest::default()
        };
        self.send(Command::READ, |out| read.write(out)).await
    }

    pub async fn send_write(&self, file_id: FileId, offset: u64, data: &[u8]) -> u64 {
        let write = WriteRequest {
            file_id,
            offset,
            data,
            ..WriteRequest::default()
        };
        self.send(Command::WRITE, |out| write.write(out)).await
    }

    /// SET_INFO of a file class.
    pub async fn send_set_info(&self, file_id: FileId, class: u8, buffer: &[u8]) -> u64 {
        let set = SetInfoRequest {
            info_type: info_type::SMB2_0_INFO_FILE,
            file_info_class: class,
            file_id,
            buffer,
            ..SetInfoRequest::default()
        };
        self.send(Command::SET_INFO, |out| set.write(out)).await
    }

    pub async fn send_rename(&self, file_id: FileId, target: &str) -> u64 {
        let target = utf16(target);
        let mut buffer = Vec::new();
        FileRenameInformation {
            replace_if_exists: false,
            root_directory: 0,
            file_name: Utf16::new(&target).unwrap(),
        }
        .write(&mut buffer);
        let class = file_information_class::FILE_RENAME_INFORMATION;
        self.send_set_info(file_id, class, &buffer).await
    }

    /// The next message, which must be the final response to this request.
    pub async fn end(&self, message_id: u64) -> Message {
        let answer = self.receive().await;
        let header = &answer.header;
        assert_eq!(header.message_id, message_id, "{}", header.command);
        assert!(!answer.is_interim(), "{} still waits", header.command);
        answer
    }

    /// The next message, which must say that this request waits; its AsyncId.
    pub async fn interim(&self, message_id: u64) -> u64 {
        let answer = self.receive().await;
        let header = &answer.header;
        assert_eq!(header.message_id, message_id, "{}", header.command);
        assert!(answer.is_interim(), "{}", answer.status());
        assert_ne!(header.async_id, 0);
        header.async_id
    }

    /// The next messages, which must be the final responses to these requests in any order;
    /// each with its status, as the requests were named.
    pub async fn ends(&self, message_ids: &[u64]) -> Vec<NtStatus> {
        let mut ends = vec![None; message_ids.len()];
        for _ in message_ids {
            let answer = self.receive().await;
            let id = answer.header.message_id;
            let index = message_ids.iter().position(|one| *one == id);
            let end = &mut ends[index.expect("an answer to one of them")];
            assert!(end.is_none() && !answer.is_interim(), "{id}");
            *end = Some(answer.status());
        }
        ends.into_iter().flatten().collect()
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
