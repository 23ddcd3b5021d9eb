//! NEGOTIATE ([MS-SMB2] 3.3.5.3, 3.3.5.4).

use smb::auth::Acceptor;
use smb::crypto::{Cipher, PreauthIntegrityHashValue, SigningAlgorithm};
use smb::wire::negotiate_context::{
    EncryptionCapabilities, PreauthIntegrityCapabilities, SHA_512, SigningCapabilities,
    context_type,
};
use smb::wire::{
    self, Dialect, Header, HeaderFlags, NegotiateContext, NegotiateRequest, capabilities,
    security_mode,
};
use smb::{FileTime, Guid, NtStatus};

use super::{Connection, Disconnect};
use crate::limits::MAX_TRANSACT_2_0_2;
use crate::request::Negotiated;
use crate::request::{Answer, Failure, Request};
use crate::response::Response;
use crate::{Encryption, ServerConfig};

/// Bytes of salt in our preauthentication context: as many as Windows sends.
const SALT: usize = 32;

/// Best first, by measured speed.
const CIPHERS: [Cipher; 4] = [
    Cipher::AES128_GCM,
    Cipher::AES256_GCM,
    Cipher::AES128_CCM,
    Cipher::AES256_CCM,
];
const SIGNING: [SigningAlgorithm; 3] = [
    SigningAlgorithm::AES_GMAC,
    SigningAlgorithm::AES_CMAC,
    SigningAlgorithm::HMAC_SHA256,
];

impl Connection {
    pub(super) fn negotiate(&mut self, request: &Request<'_>, out: &mut Vec<u8>) -> Answer {
        if self.negotiated.is_some() {
            // [MS-SMB2] 3.3.5.4: a second NEGOTIATE ends the connection.
            return Err(Failure::Disconnect("a second NEGOTIATE"));
        }
        let wanted =
            NegotiateRequest::read(request.message).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let config = &self.core.config;
        let dialect = [0x0311u16, 0x0302, 0x0300, 0x0210, 0x0202]
            .into_iter()
            .filter(|dialect| (config.min_dialect..=config.max_dialect).contains(dialect))
            .find(|dialect| wanted.dialects.contains(dialect))
            .ok_or(NtStatus::NOT_SUPPORTED)?;

        let mut negotiated = Negotiated {
            dialect,
            client_guid: wanted.client_guid,
            client_capabilities: wanted.capabilities,
            client_security_mode: wanted.security_mode,
            signing_algorithm: match dialect {
                0x0300.. => SigningAlgorithm::AES_CMAC,
                _ => SigningAlgorithm::HMAC_SHA256,
            },
            cipher: None,
            max_transact: match dialect {
                0x0202 => MAX_TRANSACT_2_0_2,
                _ => config.limits.max_transact,
            },
            multi_credit: dialect != 0x0202,
        };
        let encrypts = config.encryption != Encryption::Off;
        if matches!(dialect, 0x0300 | 0x0302)
            && encrypts
            && wanted.capabilities & capabilities::SMB2_GLOBAL_CAP_ENCRYPTION != 0
        {
            negotiated.cipher = Some(Cipher::AES128_CCM);
        }

        let mut contexts: Vec<(u16, Vec<u8>)> = Vec::new();
        if dialect == 0x0311 {
            choose_contexts(&wanted.contexts, encrypts, &mut negotiated, &mut contexts)?;
            let mut preauth = Box::new(PreauthIntegrityHashValue::default());
            preauth.update(request.message);
            self.preauth = Some(preauth);
        }
        let contexts: Vec<_> = contexts
            .iter()
            .map(|(context_type, data)| NegotiateContext {
                context_type: *context_type,
                data,
            })
            .collect();
        self.write_negotiate(Dialect(dialect), &negotiated, &contexts, out);
        self.negotiated = Some(Box::new(negotiated));
        Ok(NtStatus::SUCCESS.into())
    }

    /// An SMB1 NEGOTIATE that offers SMB2 ([MS-SMB2] 3.3.5.3.1, .2).
    pub(super) fn multi_protocol_negotiate(&mut self, frame: &[u8]) -> Result<Vec<u8>, Disconnect> {
        if self.negotiated.is_some() || self.multi_protocol {
            return Err(Disconnect::Violation("SMB1 after NEGOTIATE"));
        }
        let dialect = wire::smb1::MultiProtocolNegotiate::read(frame)?
            .smb2_dialect()
            .ok_or(Disconnect::Violation("SMB1 without an SMB2 dialect"))?;
        // 0x02FF invites a client that can do better; without that the server is 2.0.2.
        let wildcard = dialect == Dialect::WILDCARD && self.core.config.max_dialect > 0x0202;
        if !self.window.consume(0, 1) {
            return Err(Disconnect::Violation(
                "SMB1 NEGOTIATE is not the first message",
            ));
        }
        // After this the client's SMB2 NEGOTIATE has MessageId 1 for 0x02FF.
        let credits = self.window.grant(1, self.core.config.limits.credits);
        let negotiated = Negotiated {
            dialect: 0x0202,
            client_guid: Guid::default(),
            client_capabilities: 0,
            client_security_mode: 0,
            signing_algorithm: SigningAlgorithm::HMAC_SHA256,
            cipher: None,
            max_transact: if wildcard {
                self.core.config.limits.max_transact
            } else {
                MAX_TRANSACT_2_0_2
            },
            multi_credit: false,
        };
        let mut response = Response::new(None);
        response.begin();
        let header = Header {
            status: NtStatus::SUCCESS,
            credits,
            flags: HeaderFlags::SERVER_TO_REDIR,
            ..Header::default()
        };
        let dialect = if wildcard {
            Dialect::WILDCARD
        } else {
            Dialect::SMB202
        };
        self.write_negotiate(dialect, &negotiated, &[], response.body());
        response.complete(&header, None);
        self.multi_protocol = true;
        if !wildcard {
            self.negotiated = Some(Box::new(negotiated));
        }
        Ok(response.into_frame().into_buffer())
    }

    fn write_negotiate(
        &self,
        dialect: Dialect,
        negotiated: &Negotiated,
        contexts: &[NegotiateContext<'_>],
        out: &mut Vec<u8>,
    ) {
        let config = &self.core.config;
        let token = Acceptor::negotiate_token();
        wire::NegotiateResponse {
            security_mode: security_mode(config),
            dialect_revision: dialect,
            server_guid: self.core.server_guid,
            capabilities: capabilities(negotiated, dialect.0),
            max_transact_size: negotiated.max_transact,
            max_read_size: negotiated.max_transact,
            max_write_size: negotiated.max_transact,
            system_time: config.clock.now(),
            // Zero as Windows does: the start time tells strangers the uptime.
            server_start_time: FileTime(0),
            security_buffer: &token,
            contexts: contexts.to_vec(),
        }
        .write(out);
    }
}

/// SecurityMode that NEGOTIATE and VALIDATE_NEGOTIATE_INFO state.
pub(super) fn security_mode(config: &ServerConfig) -> u16 {
    security_mode::SMB2_NEGOTIATE_SIGNING_ENABLED
        | if config.signing_required {
            security_mode::SMB2_NEGOTIATE_SIGNING_REQUIRED
        } else {
            0
        }
}

/// Capabilities that NEGOTIATE and VALIDATE_NEGOTIATE_INFO state.
pub(super) fn capabilities(negotiated: &Negotiated, dialect: u16) -> u32 {
    let mut flags = 0;
    if dialect != 0x0202 {
        flags |= capabilities::SMB2_GLOBAL_CAP_LARGE_MTU | capabilities::SMB2_GLOBAL_CAP_LEASING;
    }
    // [MS-SMB2] 3.3.5.4: only to clients that have it as well; others stumble over it.
    if dialect >= 0x0300 {
        flags |= negotiated.client_capabilities & capabilities::SMB2_GLOBAL_CAP_DIRECTORY_LEASING;
    }
    // At 3.1.1 the context says it.
    if matches!(dialect, 0x0300 | 0x0302) && negotiated.cipher.is_some() {
        flags |= capabilities::SMB2_GLOBAL_CAP_ENCRYPTION;
    }
    flags
}

/// Reads the client's contexts and answers those that this server knows.
fn choose_contexts(
    wanted: &[NegotiateContext<'_>],
    encrypts: bool,
    negotiated: &mut Negotiated,
    answer: &mut Vec<(u16, Vec<u8>)>,
) -> Result<(), NtStatus> {
    let invalid = |_| NtStatus::INVALID_PARAMETER;
    let mut preauth = false;
    for context in wanted {
        match context.context_type {
            context_type::SMB2_PREAUTH_INTEGRITY_CAPABILITIES => {
                let offered = PreauthIntegrityCapabilities::read(context.data).map_err(invalid)?;
                if preauth || offered.hash_algorithms.is_empty() {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                if !offered.hash_algorithms.contains(&SHA_512) {
                    return Err(NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP);
                }
                preauth = true;
                let mut salt = [0; SALT];
                getrandom::fill(&mut salt).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
                let ours = PreauthIntegrityCapabilities {
                    hash_algorithms: vec![SHA_512],
                    salt: &salt,
                };
                answer.push((context.context_type, ours.to_bytes()));
            }
            context_type::SMB2_ENCRYPTION_CAPABILITIES if encrypts => {
                let offered = EncryptionCapabilities::read(context.data).map_err(invalid)?;
                negotiated.cipher = CIPHERS
                    .into_iter()
                    .find(|cipher| offered.ciphers.contains(&cipher.0));
                let chosen = negotiated.cipher.map_or(0, |cipher| cipher.0);
                let ours = EncryptionCapabilities {
                    ciphers: vec![chosen],
                };
                answer.push((context.context_type, ours.to_bytes()));
            }
            context_type::SMB2_SIGNING_CAPABILITIES => {
                let offered = SigningCapabilities::read(context.data).map_err(invalid)?;
                if let Some(chosen) = SIGNING
                    .into_iter()
                    .find(|algorithm| offered.signing_algorithms.contains(&algorithm.0))
                {
                    negotiated.signing_algorithm = chosen;
                    let ours = SigningCapabilities {
                        signing_algorithms: vec![chosen.0],
                    };
                    answer.push((context.context_type, ours.to_bytes()));
                }
            }
            _ => {}
        }
    }
    if preauth {
        Ok(())
    } else {
        Err(NtStatus::INVALID_PARAMETER)
    }
}
