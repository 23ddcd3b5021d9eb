//! [`Open`]: a file or pipe ([MS-SMB2] 3.2.4.3 to 3.2.4.7, 3.2.4.20).

use std::ops::Deref;

use smb::NtStatus;
use smb::wire::{
    CloseRequest, CloseResponse, Command, CreateContexts, CreateRequest, CreateResponse, FileId,
    FlushRequest, ReadRequest, ReadResponse, Utf16, WriteRequest, WriteResponse, fsctl, utf16,
};

use super::{Error, Response, TreeConnect};

/// Impersonation ([MS-SMB2] 2.2.13): what servers of the Server service expect.
const IMPERSONATION: u32 = 2;

/// How to open ([MS-SMB2] 2.2.13).
#[derive(Clone, Debug)]
pub struct Create {
    /// DesiredAccess.
    pub desired_access: u32,
    /// FileAttributes of a new file.
    pub file_attributes: u32,
    /// ShareAccess: 1 read, 2 write, 4 delete.
    pub share_access: u32,
    /// CreateDisposition: 0 supersede, 1 open, 2 create, 3 open or create, 4 overwrite, 5
    /// overwrite or create.
    pub create_disposition: u32,
    /// CreateOptions.
    pub create_options: u32,
    /// RequestedOplockLevel.
    pub requested_oplock_level: u8,
}

impl Create {
    /// Opens a pipe for messages: FILE_READ_DATA, FILE_WRITE_DATA, FILE_READ_ATTRIBUTES,
    /// FILE_WRITE_ATTRIBUTES, READ_CONTROL, SYNCHRONIZE.
    pub fn pipe() -> Self {
        Self {
            desired_access: 0x0012_0183,
            ..Self::open()
        }
    }

    /// Opens an existing file to read, sharing everything.
    pub fn open() -> Self {
        Self {
            // FILE_GENERIC_READ.
            desired_access: 0x0012_0089,
            file_attributes: 0,
            share_access: 7,
            create_disposition: 1,
            create_options: 0,
            requested_oplock_level: 0,
        }
    }

    /// Opens a file to read and write, making it if need be and emptying it.
    pub fn overwrite() -> Self {
        Self {
            // FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE.
            desired_access: 0x0013_019F,
            file_attributes: 0x80,
            create_disposition: 5,
            create_options: 0x40,
            ..Self::open()
        }
    }
}

/// An open file or pipe.
#[derive(Clone, Debug)]
pub struct Open {
    tree: TreeConnect,
    file_id: FileId,
    end_of_file: u64,
}

/// Bytes read; they stay in the message they came in.
#[derive(Debug)]
pub struct Data {
    response: Response,
    start: usize,
    length: usize,
}

impl Data {
    /// The status: SUCCESS, or BUFFER_OVERFLOW when a pipe's message has more bytes.
    pub fn status(&self) -> NtStatus {
        self.response.status()
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.response.message()[self.start..self.start + self.length]
    }
}

impl TreeConnect {
    /// Opens `name`, a path relative to the share without leading backslash.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn create(&self, name: &str, create: &Create) -> Result<Open, Error> {
        Open::create(self, name, create).await
    }
}

impl Open {
    async fn create(tree: &TreeConnect, name: &str, create: &Create) -> Result<Self, Error> {
        let name = utf16(name);
        let request = CreateRequest {
            requested_oplock_level: create.requested_oplock_level,
            impersonation_level: IMPERSONATION,
            desired_access: create.desired_access,
            file_attributes: create.file_attributes,
            share_access: create.share_access,
            create_disposition: create.create_disposition,
            create_options: create.create_options,
            name: Utf16::new(&name)?,
            contexts: CreateContexts::default(),
        };
        let response = tree
            .request(Command::CREATE, 0, |out| request.write(out))
            .await?
            .success()?;
        let created = CreateResponse::read(response.message())?;
        Ok(Self {
            tree: tree.clone(),
            file_id: created.file_id,
            end_of_file: created.file.end_of_file,
        })
    }

    /// The share it is on.
    pub fn tree(&self) -> &TreeConnect {
        &self.tree
    }

    /// FileId.
    pub fn file_id(&self) -> FileId {
        self.file_id
    }

    /// EndOfFile when it was opened, in bytes.
    pub fn end_of_file(&self) -> u64 {
        self.end_of_file
    }

    /// Reads up to `length` bytes at `offset` (0 for a pipe). At the end of a file:
    /// [`Error::Status`] with END_OF_FILE.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn read(&self, offset: u64, length: u32) -> Result<Data, Error> {
        let request = ReadRequest {
            length,
            offset,
            file_id: self.file_id,
            ..ReadRequest::default()
        };
        let response = self
            .tree
            .request(Command::READ, length as usize, |out| request.write(out))
            .await?
            .expect(&[NtStatus::SUCCESS, NtStatus::BUFFER_OVERFLOW])?;
        let message = response.message();
        let data = ReadResponse::read(message)?.data;
        if data.len() > length as usize {
            return Err(Error::Protocol("it is longer than what was asked for"));
        }
        // `data` borrows from `message`; an empty one may point anywhere.
        let start = match data {
            [] => 0,
            _ => data.as_ptr().addr() - message.as_ptr().addr(),
        };
        let length = data.len();
        Ok(Data {
            response,
            start,
            length,
        })
    }

    /// Writes at `offset` (0 for a pipe); gives the number of bytes written.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn write(&self, offset: u64, data: &[u8]) -> Result<u32, Error> {
        let request = WriteRequest {
            offset,
            file_id: self.file_id,
            data,
            ..WriteRequest::default()
        };
        let response = self
            .tree
            .request(Command::WRITE, data.len(), |out| request.write(out))
            .await?
            .success()?;
        let count = WriteResponse::read(response.message())?.count;
        if count as usize > data.len() {
            return Err(Error::Protocol("it counts more bytes than were sent"));
        }
        Ok(count)
    }

    /// FSCTL_PIPE_TRANSCEIVE: writes one message and reads the answer's first bytes.
    /// BUFFER_OVERFLOW: the answer has more.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn transceive(
        &self,
        message: &[u8],
        max_output_response: u32,
    ) -> Result<(NtStatus, Vec<u8>), Error> {
        self.ioctl(fsctl::FSCTL_PIPE_TRANSCEIVE, message, max_output_response)
            .await
    }

    /// FSCTL, as [`TreeConnect::ioctl`].
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn ioctl(
        &self,
        ctl_code: u32,
        input: &[u8],
        max_output_response: u32,
    ) -> Result<(NtStatus, Vec<u8>), Error> {
        self.tree
            .ioctl(self.file_id, ctl_code, input, max_output_response)
            .await
    }

    /// FLUSH ([MS-SMB2] 3.2.4.8).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn flush(&self) -> Result<(), Error> {
        let request = FlushRequest {
            file_id: self.file_id,
        };
        self.tree
            .request(Command::FLUSH, 0, |out| request.write(out))
            .await?
            .success()
            .map(drop)
    }

    /// CLOSE ([MS-SMB2] 3.2.4.5).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn close(&self) -> Result<(), Error> {
        let request = CloseRequest {
            flags: 0,
            file_id: self.file_id,
        };
        let response = self
            .tree
            .request(Command::CLOSE, 0, |out| request.write(out))
            .await?
            .success()?;
        CloseResponse::read(response.message())?;
        Ok(())
    }
}
