//! One message of a [`Connection`](super::Connection): what surrounds its body, how it is
//! signed or encrypted on its way, and back ([MS-SMB2] 3.2.4.1.1, 3.2.4.1.8, 3.2.5.1.1, 3.2.5.1.3).

use smb::NtStatus;
use smb::crypto::{PreauthIntegrityHashValue, TRANSFORM_HEADER_SIZE};
use smb::wire::{Command, Dialect, Header, HeaderFlags};

use super::Error;
use super::keys::SessionState;
use super::negotiate::Negotiated;

/// Most requests fit, in bytes.
const INITIAL_FRAME: usize = 256;

const SMB2_PROTOCOL: &[u8] = b"\xFESMB";
const TRANSFORM_PROTOCOL: &[u8] = b"\xFDSMB";

/// What surrounds the body of a request.
pub(super) struct Envelope<'a> {
    pub command: Command,
    pub session: Option<&'a SessionState>,
    pub session_id: u64,
    pub tree_id: u32,
    pub encrypt: bool,
    /// Larger of request and response payload, for the credit charge.
    pub payload: usize,
    /// Session.PreauthIntegrityHashValue, to take the request in.
    pub preauth: Option<&'a mut PreauthIntegrityHashValue>,
}

/// A response: its message from the SMB2 header on.
#[derive(Debug)]
pub struct Response {
    frame: Vec<u8>,
    start: usize,
    header: Header,
    encrypted: bool,
}

impl Response {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The status.
    pub fn status(&self) -> NtStatus {
        self.header.status
    }

    /// The message: header and body.
    pub fn message(&self) -> &[u8] {
        &self.frame[self.start..]
    }

    /// It came in a TRANSFORM_HEADER.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The response if its status is one of `expected`.
    ///
    /// # Errors
    /// [`Error::Status`] otherwise.
    pub fn expect(self, expected: &[NtStatus]) -> Result<Self, Error> {
        if expected.contains(&self.header.status) {
            return Ok(self);
        }
        Err(Error::Status {
            command: self.header.command,
            status: self.header.status,
        })
    }

    /// The response if its status is SUCCESS.
    ///
    /// # Errors
    /// [`Error::Status`] otherwise.
    pub fn success(self) -> Result<Self, Error> {
        self.expect(&[NtStatus::SUCCESS])
    }
}

/// Header and body as they go into the frame: encrypted, or signed, or plain.
pub(super) fn pack(
    header: &Header,
    envelope: &Envelope<'_>,
    body: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, Error> {
    let mut header = *header;
    let keys = envelope.session;
    if let (true, Some(session)) = (envelope.encrypt, keys) {
        let (key, nonce) = session.seal_key()?;
        let mut frame = Vec::with_capacity(INITIAL_FRAME);
        frame.resize(TRANSFORM_HEADER_SIZE, 0);
        header.write(&mut frame);
        body(&mut frame);
        key.seal(header.session_id, nonce, &mut frame)
            .map_err(|_| Error::Usage("the message is too long to encrypt"))?;
        return Ok(frame);
    }
    let signing_key = keys.and_then(SessionState::signing_key);
    if signing_key.is_some() {
        header.flags |= HeaderFlags::SIGNED;
    }
    let mut message = Vec::with_capacity(INITIAL_FRAME);
    header.write(&mut message);
    body(&mut message);
    if let Some(key) = signing_key {
        key.sign(&mut message);
    }
    Ok(message)
}

/// Decrypts a frame if needed and reads its header.
pub(super) fn unpack(
    mut frame: Vec<u8>,
    session: Option<&SessionState>,
) -> Result<Response, Error> {
    let mut start = 0;
    let encrypted = frame.starts_with(TRANSFORM_PROTOCOL);
    if encrypted {
        let key = session
            .and_then(SessionState::open_key)
            .ok_or(Error::Protocol("it is encrypted, but there is no key"))?;
        key.open(&mut frame).map_err(|_| Error::Signature)?;
        start = TRANSFORM_HEADER_SIZE;
    }
    if !frame[start..].starts_with(SMB2_PROTOCOL) {
        return Err(Error::Protocol("it is no SMB2 message"));
    }
    let header = Header::read(&frame[start..])?;
    if !header.flags.contains(HeaderFlags::SERVER_TO_REDIR) {
        return Err(Error::Protocol("it is a request"));
    }
    Ok(Response {
        frame,
        start,
        header,
        encrypted,
    })
}

/// [MS-SMB2] 3.2.5.1.3 and 3.2.5.1.1: who has a key accepts nothing unauthenticated.
pub(super) fn authenticate(
    response: &Response,
    session: Option<&SessionState>,
    encrypt: bool,
) -> Result<(), Error> {
    let Some(session) = session else {
        return Ok(());
    };
    if response.is_encrypted() {
        return match response.header().session_id == session.id() {
            true => Ok(()),
            false => Err(Error::Protocol("it names another session")),
        };
    }
    // A server that has lost the session has lost its keys: it can say this much unsigned
    // (Samba sets the flag and leaves the signature empty). Believing it only ends the session.
    if matches!(
        response.header().status,
        NtStatus::USER_SESSION_DELETED | NtStatus::NETWORK_SESSION_EXPIRED
    ) {
        return Ok(());
    }
    if encrypt {
        return Err(Error::Signature);
    }
    match session.signing_key() {
        Some(key)
            if response.header().flags.contains(HeaderFlags::SIGNED)
                && key.verify(response.message()) =>
        {
            Ok(())
        }
        Some(_) => Err(Error::Signature),
        None => Ok(()),
    }
}

/// [MS-SMB2] 3.2.5.3.1: the last response of a logon is signed with the new key. At 3.1.1 it
/// must be: the signature is what protects the negotiation.
pub(super) fn authenticate_setup(
    response: &Response,
    session: &SessionState,
    negotiated: &Negotiated,
) -> Result<(), Error> {
    let Some(key) = session.signing_key() else {
        return Ok(());
    };
    let signed = response.header().flags.contains(HeaderFlags::SIGNED);
    let required = negotiated.dialect == Dialect::SMB311 || negotiated.signing_required;
    match (signed, required) {
        (true, _) if key.verify(response.message()) => Ok(()),
        (false, false) => Ok(()),
        _ => Err(Error::Signature),
    }
}
