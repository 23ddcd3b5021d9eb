//! NEGOTIATE from the client's side ([MS-SMB2] 3.2.4.2.2, 3.2.5.2).

use std::io;

use smb::Guid;
use smb::NtStatus;
use smb::crypto::{Cipher, PreauthIntegrityHashValue, SigningAlgorithm};
use smb::wire::negotiate_context::{
    EncryptionCapabilities, PreauthIntegrityCapabilities, SHA_512, SigningCapabilities,
    context_type,
};
use smb::wire::{
    Command, Dialect, Header, HeaderFlags, NegotiateContext, NegotiateRequest, NegotiateResponse,
    capabilities, security_mode, utf16,
};

use super::{Error, Transport};

/// What to offer.
#[derive(Clone, Debug)]
pub struct Negotiation {
    /// Dialects, in any order.
    pub dialects: Vec<Dialect>,
    /// Ciphers for 3.1.1, the preferred one first. Empty: no encryption at any dialect.
    pub ciphers: Vec<Cipher>,
    /// Signing algorithms for 3.1.1, the preferred one first. Empty: the context is left
    /// out, which means AES-CMAC.
    pub signing_algorithms: Vec<SigningAlgorithm>,
    /// ClientGuid.
    pub client_guid: Guid,
    /// Name of the server for the NETNAME context, empty to leave it out.
    pub server_name: String,
}

impl Negotiation {
    /// Everything this client can do; a random ClientGuid.
    ///
    /// # Errors
    /// [`Error::Io`] if the system has no random numbers.
    pub fn new(server_name: &str) -> Result<Self, Error> {
        Ok(Self {
            dialects: vec![
                Dialect::SMB202,
                Dialect::SMB210,
                Dialect::SMB300,
                Dialect::SMB302,
                Dialect::SMB311,
            ],
            // GCM and GMAC are several times faster than CCM and CMAC.
            ciphers: vec![
                Cipher::AES128_GCM,
                Cipher::AES256_GCM,
                Cipher::AES128_CCM,
                Cipher::AES256_CCM,
            ],
            signing_algorithms: vec![
                SigningAlgorithm::AES_GMAC,
                SigningAlgorithm::AES_CMAC,
                SigningAlgorithm::HMAC_SHA256,
            ],
            client_guid: Guid(random()?),
            server_name: server_name.to_owned(),
        })
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Negotiated {
    /// The dialect.
    pub dialect: Dialect,
    /// How sessions sign.
    pub signing_algorithm: SigningAlgorithm,
    /// How sessions encrypt, if they can.
    pub cipher: Option<Cipher>,
    /// The server insists on signatures.
    pub signing_required: bool,
    /// ServerGuid.
    pub server_guid: Guid,
    /// Capabilities of the server.
    pub capabilities: u32,
    /// MaxTransactSize, at most [`Negotiated::MAX_PAYLOAD`].
    pub max_transact_size: u32,
    /// MaxReadSize, at most [`Negotiated::MAX_PAYLOAD`].
    pub max_read_size: u32,
    /// MaxWriteSize, at most [`Negotiated::MAX_PAYLOAD`].
    pub max_write_size: u32,
    /// NegTokenInit2 of the server.
    pub security_buffer: Vec<u8>,
    pub(super) server_security_mode: u16,
    pub(super) offer: Offer,
}

/// What the NEGOTIATE request said, for FSCTL_VALIDATE_NEGOTIATE_INFO.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub capabilities: u32,
    pub client_guid: Guid,
    pub security_mode: u16,
    pub dialects: Vec<Dialect>,
}

impl Negotiated {
    /// Largest payload this client moves in one request: what Windows and Samba allow.
    pub const MAX_PAYLOAD: u32 = 8 * 1024 * 1024;

    /// Payloads above 64 KiB are possible.
    pub fn supports_multi_credit(&self) -> bool {
        self.capabilities & capabilities::SMB2_GLOBAL_CAP_LARGE_MTU != 0
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Io(io::Error::other(error)))?;
    Ok(bytes)
}

/// Salt of the preauthentication hash, in bytes; Windows sends as many.
const SALT: usize = 32;

/// Sends NEGOTIATE; gives the result, Connection.PreauthIntegrityHashValue and the credits.
pub(super) async fn negotiate(
    transport: &mut Transport,
    negotiation: &Negotiation,
) -> Result<(Negotiated, Option<PreauthIntegrityHashValue>, u32), Error> {
    let offer = Offer::new(negotiation)?;
    let request = request(negotiation, &offer)?;
    let answer = transport.exchange(&request).await?;
    let header = Header::read(&answer)?;
    if header.command != Command::NEGOTIATE
        || header.message_id != 0
        || !header.flags.contains(HeaderFlags::SERVER_TO_REDIR)
    {
        return Err(Error::Protocol("it is no NEGOTIATE response"));
    }
    if header.status != NtStatus::SUCCESS {
        return Err(Error::Status {
            command: header.command,
            status: header.status,
        });
    }
    let response = NegotiateResponse::read(&answer)?;
    let dialect = response.dialect_revision;
    if !offer.dialects.contains(&dialect) {
        return Err(Error::Protocol("the dialect was not offered"));
    }
    let mut negotiated = Negotiated {
        dialect,
        signing_algorithm: match dialect {
            Dialect::SMB202 | Dialect::SMB210 => SigningAlgorithm::HMAC_SHA256,
            _ => SigningAlgorithm::AES_CMAC,
        },
        cipher: None,
        signing_required: response.security_mode & security_mode::SMB2_NEGOTIATE_SIGNING_REQUIRED
            != 0,
        server_guid: response.server_guid,
        capabilities: response.capabilities,
        max_transact_size: response.max_transact_size.min(Negotiated::MAX_PAYLOAD),
        max_read_size: response.max_read_size.min(Negotiated::MAX_PAYLOAD),
        max_write_size: response.max_write_size.min(Negotiated::MAX_PAYLOAD),
        security_buffer: response.security_buffer.to_vec(),
        server_security_mode: response.security_mode,
        offer,
    };
    match dialect {
        Dialect::SMB311 => read_contexts(&response.contexts, negotiation, &mut negotiated)?,
        Dialect::SMB300 | Dialect::SMB302
            if response.capabilities & capabilities::SMB2_GLOBAL_CAP_ENCRYPTION != 0
                && !negotiation.ciphers.is_empty() =>
        {
            negotiated.cipher = Some(Cipher::AES128_CCM);
        }
        _ => {}
    }
    let preauth = (dialect == Dialect::SMB311).then(|| {
        let mut preauth = PreauthIntegrityHashValue::default();
        preauth.update(&request);
        preauth.update(&answer);
        preauth
    });
    Ok((negotiated, preauth, u32::from(header.credits)))
}

impl Offer {
    fn new(negotiation: &Negotiation) -> Result<Self, Error> {
        if negotiation.dialects.is_empty() {
            return Err(Error::Usage("no dialect is offered"));
        }
        let mut dialects = negotiation.dialects.clone();
        dialects.sort_unstable();
        dialects.dedup();
        // [MS-SMB2] 2.2.3: a client without 3.x leaves Capabilities 0.
        let capabilities = match dialects.iter().any(|dialect| *dialect >= Dialect::SMB300) {
            true if negotiation.ciphers.is_empty() => capabilities::SMB2_GLOBAL_CAP_LARGE_MTU,
            true => {
                capabilities::SMB2_GLOBAL_CAP_LARGE_MTU | capabilities::SMB2_GLOBAL_CAP_ENCRYPTION
            }
            false => 0,
        };
        Ok(Self {
            capabilities,
            client_guid: negotiation.client_guid,
            security_mode: security_mode::SMB2_NEGOTIATE_SIGNING_ENABLED,
            dialects,
        })
    }
}

fn request(negotiation: &Negotiation, offer: &Offer) -> Result<Vec<u8>, Error> {
    let salt = random::<SALT>()?;
    let preauth = PreauthIntegrityCapabilities {
        hash_algorithms: vec![SHA_512],
        salt: &salt,
    }
    .to_bytes();
    let ciphers = EncryptionCapabilities {
        ciphers: negotiation.ciphers.iter().map(|cipher| cipher.0).collect(),
    };
    let signing = SigningCapabilities {
        signing_algorithms: negotiation.signing_algorithms.iter().map(|a| a.0).collect(),
    };
    let (ciphers, signing) = (ciphers.to_bytes(), signing.to_bytes());
    let name = utf16(&negotiation.server_name);
    let mut contexts = vec![NegotiateContext {
        context_type: context_type::SMB2_PREAUTH_INTEGRITY_CAPABILITIES,
        data: &preauth,
    }];
    let mut add = |wanted: bool, context_type: u16, data| {
        if wanted {
            contexts.push(NegotiateContext { context_type, data });
        }
    };
    add(
        !negotiation.ciphers.is_empty(),
        context_type::SMB2_ENCRYPTION_CAPABILITIES,
        &ciphers,
    );
    add(
        !negotiation.signing_algorithms.is_empty(),
        context_type::SMB2_SIGNING_CAPABILITIES,
        &signing,
    );
    add(
        !name.is_empty(),
        context_type::SMB2_NETNAME_NEGOTIATE_CONTEXT_ID,
        &name,
    );
    let mut message = Vec::with_capacity(256);
    Header {
        command: Command::NEGOTIATE,
        credits: 64,
        ..Header::default()
    }
    .write(&mut message);
    NegotiateRequest {
        security_mode: offer.security_mode,
        capabilities: offer.capabilities,
        client_guid: offer.client_guid,
        dialects: offer.dialects.iter().map(|dialect| dialect.0).collect(),
        contexts,
    }
    .write(&mut message);
    Ok(message)
}

/// [MS-SMB2] 3.2.5.2: the server chose from what was offered, once each.
fn read_contexts(
    contexts: &[NegotiateContext<'_>],
    negotiation: &Negotiation,
    negotiated: &mut Negotiated,
) -> Result<(), Error> {
    let one = |context_type: u16| {
        let mut found = contexts.iter().filter(|c| c.context_type == context_type);
        match (found.next(), found.next()) {
            (context, None) => Ok(context.map(|context| context.data)),
            _ => Err(Error::Protocol("a negotiate context comes twice")),
        }
    };
    let Some(preauth) = one(context_type::SMB2_PREAUTH_INTEGRITY_CAPABILITIES)? else {
        return Err(Error::Protocol(
            "the preauthentication integrity context is missing",
        ));
    };
    if PreauthIntegrityCapabilities::read(preauth)?.hash_algorithms != [SHA_512] {
        return Err(Error::Protocol("the preauthentication hash is not SHA-512"));
    }
    if let Some(data) = one(context_type::SMB2_ENCRYPTION_CAPABILITIES)? {
        match EncryptionCapabilities::read(data)?.ciphers[..] {
            // 0: nothing in common.
            [0] => {}
            [id] if negotiation.ciphers.contains(&Cipher(id)) => {
                negotiated.cipher = Some(Cipher(id));
            }
            _ => return Err(Error::Protocol("the cipher was not offered")),
        }
    }
    if let Some(data) = one(context_type::SMB2_SIGNING_CAPABILITIES)? {
        match SigningCapabilities::read(data)?.signing_algorithms[..] {
            [id] if negotiation
                .signing_algorithms
                .contains(&SigningAlgorithm(id)) =>
            {
                negotiated.signing_algorithm = SigningAlgorithm(id);
            }
            _ => return Err(Error::Protocol("the signing algorithm was not offered")),
        }
    }
    Ok(())
}
