//! [`TreeConnect`]: a session's connection to a share ([MS-SMB2] 3.2.4.2.4, 3.2.5.5).

use smb::NtStatus;
use smb::wire::ioctl::{
    SMB2_0_IOCTL_IS_FSCTL, ValidateNegotiateInfoRequest, ValidateNegotiateInfoResponse,
};
use smb::wire::{
    Command, Dialect, FileId, IoctlRequest, IoctlResponse, TreeConnectRequest, TreeConnectResponse,
    TreeDisconnectRequest, Utf16, fsctl, share_flags, utf16,
};

use super::{Error, Response, Session};

/// VALIDATE_NEGOTIATE_INFO response ([MS-SMB2] 2.2.32.6): 4 + 16 + 2 + 2 bytes.
const VALIDATE_NEGOTIATE_INFO_RESPONSE: usize = 24;

/// A share, connected. Clones share it.
#[derive(Clone, Debug)]
pub struct TreeConnect {
    pub(super) session: Session,
    id: u32,
    share_type: u8,
    share_flags: u32,
    maximal_access: u32,
    encrypt: bool,
}

impl Session {
    /// Connects to a share of this server, `name` without path (`IPC$`).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn tree_connect(&self, server: &str, name: &str) -> Result<TreeConnect, Error> {
        TreeConnect::connect(self, server, name).await
    }
}

impl TreeConnect {
    async fn connect(session: &Session, server: &str, name: &str) -> Result<Self, Error> {
        let path = utf16(&format!("\\\\{server}\\{name}"));
        let path = Utf16::new(&path)?;
        let response = session
            .call(Command::TREE_CONNECT, 0, false, 0, |out| {
                TreeConnectRequest { flags: 0, path }.write(out);
            })
            .await?
            .success()?;
        let answer = TreeConnectResponse::read(response.message())?;
        let encrypt = answer.share_flags & share_flags::SMB2_SHAREFLAG_ENCRYPT_DATA != 0;
        if encrypt && session.state.open_key().is_none() {
            return Err(Error::Unsupported("the encryption that the share asks for"));
        }
        let tree = Self {
            session: session.clone(),
            id: response.header().tree_id,
            share_type: answer.share_type,
            share_flags: answer.share_flags,
            maximal_access: answer.maximal_access,
            encrypt,
        };
        tree.validate_negotiate().await?;
        Ok(tree)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// TreeId.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// ShareType: 1 disk, 2 pipe, 3 printer.
    pub fn share_type(&self) -> u8 {
        self.share_type
    }

    /// ShareFlags ([MS-SMB2] 2.2.10).
    pub fn share_flags(&self) -> u32 {
        self.share_flags
    }

    /// MaximalAccess of the user on the share.
    pub fn maximal_access(&self) -> u32 {
        self.maximal_access
    }

    /// Messages to this share are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypt || self.session.is_encrypted()
    }

    /// Disconnects from the share ([MS-SMB2] 3.2.4.22).
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn disconnect(&self) -> Result<(), Error> {
        self.request(Command::TREE_DISCONNECT, 0, |out| {
            TreeDisconnectRequest.write(out)
        })
        .await?
        .success()
        .map(drop)
    }

    /// As [`Session::request`], on this share.
    ///
    /// # Errors
    /// Those of the exchange.
    pub async fn request(
        &self,
        command: Command,
        payload: usize,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Response, Error> {
        self.session
            .call(command, self.id, self.encrypt, payload, body)
            .await
    }

    /// FSCTL on `file_id` ([MS-SMB2] 3.2.4.20): status and output. BUFFER_OVERFLOW counts
    /// as success: the output was cut.
    ///
    /// # Errors
    /// [`Error::Status`] and those of the exchange.
    pub async fn ioctl(
        &self,
        file_id: FileId,
        ctl_code: u32,
        input: &[u8],
        max_output_response: u32,
    ) -> Result<(NtStatus, Vec<u8>), Error> {
        let payload = input.len().max(max_output_response as usize);
        let request = IoctlRequest {
            ctl_code,
            file_id,
            input,
            max_input_response: 0,
            max_output_response,
            flags: SMB2_0_IOCTL_IS_FSCTL,
            ..IoctlRequest::default()
        };
        let response = self
            .request(Command::IOCTL, payload, |out| request.write(out))
            .await?
            .expect(&[NtStatus::SUCCESS, NtStatus::BUFFER_OVERFLOW])?;
        let output = IoctlResponse::read(response.message())?.output;
        if output.len() > max_output_response as usize {
            return Err(Error::Protocol("it is longer than what was asked for"));
        }
        Ok((response.status(), output.to_vec()))
    }

    /// Below 3.1.1 nothing but this protects the negotiation against an attacker who
    /// talked both ends down ([MS-SMB2] 3.2.5.5). Without a key there is nothing to verify.
    async fn validate_negotiate(&self) -> Result<(), Error> {
        let connection = self.session.connection();
        let negotiated = connection.negotiated();
        let offer = &negotiated.offer;
        if negotiated.dialect == Dialect::SMB311
            || offer
                .dialects
                .iter()
                .all(|dialect| *dialect < Dialect::SMB300)
            || !self.session.is_signed()
            || connection.is_validated()
        {
            return Ok(());
        }
        let input = ValidateNegotiateInfoRequest {
            capabilities: offer.capabilities,
            guid: offer.client_guid,
            security_mode: offer.security_mode,
            dialects: offer.dialects.iter().map(|dialect| dialect.0).collect(),
        }
        .to_bytes();
        let answer = self
            .ioctl(
                FileId::ALL_ONES,
                fsctl::FSCTL_VALIDATE_NEGOTIATE_INFO,
                &input,
                VALIDATE_NEGOTIATE_INFO_RESPONSE as u32,
            )
            .await;
        let output = match answer {
            Ok((NtStatus::SUCCESS, output)) => output,
            // A server of 2.x does not know the control code. It has signed this answer.
            Err(Error::Status { status, .. })
                if negotiated.dialect < Dialect::SMB300
                    && status != NtStatus::ACCESS_DENIED
                    && status != NtStatus::USER_SESSION_DELETED =>
            {
                connection.set_validated();
                return Ok(());
            }
            Ok(_) => return Err(Error::Protocol("it cuts the negotiate validation")),
            Err(error) => return Err(error),
        };
        let expected = ValidateNegotiateInfoResponse {
            capabilities: negotiated.capabilities,
            guid: negotiated.server_guid,
            security_mode: negotiated.server_security_mode,
            dialect: negotiated.dialect,
        };
        if ValidateNegotiateInfoResponse::read(&output)? != expected {
            return Err(Error::Protocol("the negotiation was changed on its way"));
        }
        connection.set_validated();
        Ok(())
    }
}
