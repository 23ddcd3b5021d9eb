//! The server's end ([MS-NLMP] 3.2.5, [MS-SPNG] 3.2.5).

use std::{mem, sync::Arc};

use subtle::ConstantTimeEq;

use super::{
    Error,
    ntlm::{
        self, AuthenticateMessage, AvId, AvPairs, ChallengeMessage, MSV_AV_FLAG_MIC,
        NegotiateFlags, NegotiateMessage, SessionSecurity,
    },
    spnego::{self, NegState, NegTokenInit, NegTokenResp, NegotiationToken},
};
use crate::{FileTime, NtStatus};

/// Bytes of a client's NEGOTIATE_MESSAGE, and of its MechTypeList, that are kept until
/// the logon ends: bounds what a client can make the server hold before it has proven
/// anything. Real ones have 32 to 120.
const MAX_HELD: usize = 2048;

/// Bytes of NTProofStr, before the client's part of an NTLMv2 response.
const PROOF_SIZE: usize = 16;
/// The client's part up to its AV_PAIRs ([MS-NLMP] 2.2.2.7).
const CLIENT_CHALLENGE_HEAD: usize = 28;
/// RespType and HiRespType of NTLMv2.
const RESP_TYPES: [u8; 2] = [1, 1];

/// What the client's NEGOTIATE_MESSAGE may turn on.
const SUPPORTED: NegotiateFlags = NegotiateFlags(
    NegotiateFlags::UNICODE.0
        | NegotiateFlags::SIGN.0
        | NegotiateFlags::SEAL.0
        | NegotiateFlags::ALWAYS_SIGN.0
        | NegotiateFlags::EXTENDED_SESSIONSECURITY.0
        | NegotiateFlags::VERSION.0
        | NegotiateFlags::NEGOTIATE_128.0
        | NegotiateFlags::KEY_EXCH.0
        | NegotiateFlags::NEGOTIATE_56.0,
);

/// What the server says of itself in its challenge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptorConfig {
    /// NetBIOS name of the server, at most 15 letters by custom.
    pub computer_name: String,
    /// NetBIOS name of its domain or workgroup; of a standalone server its own name.
    pub domain_name: String,
    /// Fully qualified name of the server.
    pub dns_computer_name: String,
    /// Name of its DNS domain; may be empty.
    pub dns_domain_name: String,
}

/// One logon: fed the security buffers of SESSION_SETUP requests until it accepts or
/// denies.
#[derive(Debug)]
pub struct Acceptor {
    config: Arc<AcceptorConfig>,
    state: State,
}

/// What follows from one security buffer.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Answer STATUS_MORE_PROCESSING_REQUIRED with this token.
    Continue {
        /// Security buffer of the response.
        token: Vec<u8>,
    },
    /// The client is who it says.
    Accepted {
        /// Security buffer of the response; empty if the client spoke NTLMSSP without
        /// SPNEGO.
        token: Vec<u8>,
        /// As the client sent it; empty is usual for local accounts.
        domain: String,
        /// As the client sent it; empty if anonymous.
        user_name: String,
        /// What the client calls itself: not proven, for display only.
        workstation: String,
        /// Nobody proved anything: a null session, never a user.
        anonymous: bool,
        /// ExportedSessionKey.
        session_key: [u8; 16],
    },
    /// Answer with this status and no token; the logon is over.
    Denied(NtStatus),
}

#[derive(Debug)]
enum State {
    Start,
    /// The client prefers another mechanism and was told to take NTLM.
    Redirected {
        mech_type_list: Vec<u8>,
    },
    Challenged(Box<Challenged>),
    Done,
}

#[derive(Debug)]
struct Challenged {
    negotiate_message: Vec<u8>,
    challenge_message: Vec<u8>,
    server_challenge: [u8; 8],
    /// None if the client speaks NTLMSSP without SPNEGO.
    mech_type_list: Option<Vec<u8>>,
}

/// Lookup of the NT hash for (domain, user name) as the client sent them.
type Lookup<'l> = dyn FnMut(&str, &str) -> Option<[u8; 16]> + 'l;

impl Acceptor {
    /// `config` may be shared by all logons.
    pub fn new(config: impl Into<Arc<AcceptorConfig>>) -> Self {
        Self {
            config: config.into(),
            state: State::Start,
        }
    }

    /// The security buffer of a NEGOTIATE response: NegTokenInit2 naming NTLM.
    pub fn negotiate_token() -> Vec<u8> {
        NegTokenInit::write_hints(&spnego::mech_type_list(&[spnego::NTLMSSP]))
    }

    /// Takes the security buffer of one SESSION_SETUP request. `now` goes into the
    /// challenge; `challenge` must be random and new for each logon; `lookup` finds the
    /// NT hash of a user. After anything but [`Step::Continue`] every further token is
    /// denied.
    ///
    /// Statuses: LOGON_FAILURE for a wrong password, an unknown user (told apart neither
    /// by status nor by time spent here) and NTLMv1; ACCESS_DENIED for a wrong
    /// mechListMIC; INVALID_PARAMETER for everything malformed.
    pub fn step(
        &mut self,
        token: &[u8],
        now: FileTime,
        challenge: [u8; 8],
        lookup: &mut Lookup<'_>,
    ) -> Step {
        let outcome = match mem::replace(&mut self.state, State::Done) {
            State::Start => self.start(token, now, challenge),
            State::Redirected { mech_type_list } => {
                self.redirected(token, mech_type_list, now, challenge)
            }
            State::Challenged(challenged) => challenged.authenticate(token, lookup),
            State::Done => Err(NtStatus::INVALID_PARAMETER),
        };
        outcome.unwrap_or_else(Step::Denied)
    }

    fn start(&mut self, token: &[u8], now: FileTime, challenge: [u8; 8]) -> Result<Step, NtStatus> {
        if ntlm::is_ntlmssp(token) {
            return self.challenge(token, None, false, now, challenge);
        }
        let NegotiationToken::Init(init) = NegotiationToken::read(token)? else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        let preferred = match init
            .mech_types
            .iter()
            .position(|oid| *oid == spnego::NTLMSSP)
        {
            Some(position) => position == 0,
            None => return Err(Error::Mechanism.into()),
        };
        if init.mech_type_list.len() > MAX_HELD {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mech_type_list = init.mech_type_list.to_vec();
        match init.mech_token {
            // Some clients put an NTLM token behind a list that starts with Kerberos.
            Some(token) if ntlm::is_ntlmssp(token) => {
                self.challenge(token, Some(mech_type_list), true, now, challenge)
            }
            Some(token) if preferred && !token.is_empty() => Err(NtStatus::INVALID_PARAMETER),
            // The optimistic token, if any, is for a mechanism that is not spoken here.
            _ => {
                let neg_state = if preferred {
                    NegState::ACCEPT_INCOMPLETE
                } else {
                    NegState::REQUEST_MIC
                };
                let response = NegTokenResp {
                    neg_state: Some(neg_state),
                    supported_mech: Some(spnego::NTLMSSP),
                    ..NegTokenResp::default()
                };
                self.state = State::Redirected { mech_type_list };
                Ok(Step::Continue {
                    token: response.write(),
                })
            }
        }
    }

    fn redirected(
        &mut self,
        token: &[u8],
        mech_type_list: Vec<u8>,
        now: FileTime,
        challenge: [u8; 8],
    ) -> Result<Step, NtStatus> {
        let response_token = read_response(token)?.0;
        self.challenge(response_token, Some(mech_type_list), false, now, challenge)
    }

    /// Answers a NEGOTIATE_MESSAGE. Only the acceptor's first token names the mechanism
    /// (RFC 4178 4.2.2).
    fn challenge(
        &mut self,
        negotiate_message: &[u8],
        mech_type_list: Option<Vec<u8>>,
        answer_names_mech: bool,
        now: FileTime,
        server_challenge: [u8; 8],
    ) -> Result<Step, NtStatus> {
        if negotiate_message.len() > MAX_HELD {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let offered = NegotiateMessage::read(negotiate_message)?.flags;
        if !offered.contains(NegotiateFlags::UNICODE) {
            return Err(Error::Unsupported("Unicode").into());
        }
        let flags = (offered & SUPPORTED)
            | NegotiateFlags::NTLM
            | NegotiateFlags::REQUEST_TARGET
            | NegotiateFlags::TARGET_TYPE_SERVER
            | NegotiateFlags::TARGET_INFO;
        let challenge_message = ChallengeMessage {
            flags,
            server_challenge,
            target_name: &ntlm::utf16(&self.config.computer_name),
            target_info: &self.config.target_info(now),
        }
        .write()?;
        let token = match mech_type_list {
            None => challenge_message.clone(),
            Some(_) => NegTokenResp {
                neg_state: Some(NegState::ACCEPT_INCOMPLETE),
                supported_mech: answer_names_mech.then_some(spnego::NTLMSSP),
                response_token: Some(&challenge_message),
                mech_list_mic: None,
            }
            .write(),
        };
        self.state = State::Challenged(Box::new(Challenged {
            negotiate_message: negotiate_message.to_vec(),
            challenge_message,
            server_challenge,
            mech_type_list,
        }));
        Ok(Step::Continue { token })
    }
}

impl AcceptorConfig {
    /// TargetInfo: the order is Windows'.
    fn target_info(&self, now: FileTime) -> Vec<u8> {
        let mut pairs = Vec::new();
        let names = [
            (AvId::NB_DOMAIN_NAME, &self.domain_name),
            (AvId::NB_COMPUTER_NAME, &self.computer_name),
            (AvId::DNS_DOMAIN_NAME, &self.dns_domain_name),
            (AvId::DNS_COMPUTER_NAME, &self.dns_computer_name),
        ];
        for (id, name) in names {
            AvPairs::write(&mut pairs, id, &ntlm::utf16(name));
        }
        AvPairs::write(&mut pairs, AvId::TIMESTAMP, &now.0.to_le_bytes());
        AvPairs::write(&mut pairs, AvId::EOL, &[]);
        pairs
    }
}

impl Challenged {
    fn authenticate(&self, token: &[u8], lookup: &mut Lookup<'_>) -> Result<Step, NtStatus> {
        let (bytes, client_mic) = match &self.mech_type_list {
            None => (token, None),
            Some(_) => read_response(token)?,
        };
        let message = AuthenticateMessage::read(bytes)?;
        if !message.flags.contains(NegotiateFlags::UNICODE) {
            return Err(Error::Unsupported("Unicode").into());
        }
        let domain = ntlm::read_utf16(message.domain_name)?;
        let user_name = ntlm::read_utf16(message.user_name)?;
        // Proves nothing and nothing depends on it: unreadable counts as unsaid.
        let workstation = ntlm::read_utf16(message.workstation).unwrap_or_default();

        let anonymous = is_anonymous(&message);
        let key_exchange_key = if anonymous {
            [0; 16]
        } else {
            self.verify(&message, &domain, &user_name, lookup)?
        };
        let session_key = if message.flags.contains(NegotiateFlags::KEY_EXCH) {
            let encrypted = message.encrypted_random_session_key.try_into();
            ntlm::rc4(
                &key_exchange_key,
                encrypted.map_err(|_| NtStatus::INVALID_PARAMETER)?,
            )
        } else {
            key_exchange_key
        };
        if !anonymous {
            self.check_mic(&message, bytes, &session_key)?;
        }
        let token = self.complete(message.flags, client_mic, &session_key)?;
        Ok(Step::Accepted {
            token,
            domain,
            user_name,
            workstation,
            anonymous,
            session_key,
        })
    }

    /// Compares NTProofStr and gives the KeyExchangeKey ([MS-NLMP] 3.3.2). Does the same
    /// work for a user that does not exist.
    fn verify(
        &self,
        message: &AuthenticateMessage<'_>,
        domain: &str,
        user_name: &str,
        lookup: &mut Lookup<'_>,
    ) -> Result<[u8; 16], NtStatus> {
        let response = message.nt_challenge_response;
        let Some((claimed, client_part)) = response.split_first_chunk::<PROOF_SIZE>() else {
            return Err(NtStatus::LOGON_FAILURE);
        };
        if client_part.len() < CLIENT_CHALLENGE_HEAD || !client_part.starts_with(&RESP_TYPES) {
            return Err(NtStatus::LOGON_FAILURE);
        }
        // A list that is cut off is no wrong password; a guess learns nothing from that.
        AvPairs::new(&client_part[CLIENT_CHALLENGE_HEAD..]).check()?;
        let found = lookup(domain, user_name);
        let response_key = ntlm::ntowf_v2(&found.unwrap_or_default(), user_name, domain);
        let proof = ntlm::nt_proof_str(&response_key, &self.server_challenge, client_part);
        let equal = bool::from(proof.ct_eq(claimed));
        if !equal || found.is_none() {
            return Err(NtStatus::LOGON_FAILURE);
        }
        Ok(ntlm::session_base_key(&response_key, &proof))
    }

    /// The response, which NTProofStr has just authenticated, says whether the message
    /// has a MIC: so nobody between can take it away.
    fn check_mic(
        &self,
        message: &AuthenticateMessage<'_>,
        bytes: &[u8],
        session_key: &[u8; 16],
    ) -> Result<(), NtStatus> {
        let pairs = message
            .nt_challenge_response
            .get(PROOF_SIZE + CLIENT_CHALLENGE_HEAD..)
            .unwrap_or_default();
        if AvPairs::new(pairs).flags()? & MSV_AV_FLAG_MIC == 0 {
            return Ok(());
        }
        let claimed = message.mic.ok_or(NtStatus::INVALID_PARAMETER)?;
        let mut zeroed = bytes.to_vec();
        AuthenticateMessage::set_mic(&mut zeroed, &[0; 16]);
        let messages: [&[u8]; 3] = [&self.negotiate_message, &self.challenge_message, &zeroed];
        if !bool::from(ntlm::mic(session_key, &messages).ct_eq(&claimed)) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(())
    }

    /// The last token. mechListMIC is checked and answered only if the client sent one:
    /// as NTLM is all there is to agree on, its absence hides no better mechanism.
    fn complete(
        &self,
        flags: NegotiateFlags,
        client_mic: Option<&[u8]>,
        session_key: &[u8; 16],
    ) -> Result<Vec<u8>, NtStatus> {
        let Some(list) = &self.mech_type_list else {
            return Ok(Vec::new());
        };
        let mut server_mic = None;
        if let Some(claimed) = client_mic {
            if !flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
                return Err(Error::Unsupported("extended session security").into());
            }
            let expected = SessionSecurity::client(flags, session_key).mech_list_mic(list);
            if !bool::from(expected.ct_eq(claimed)) {
                return Err(NtStatus::ACCESS_DENIED);
            }
            server_mic = Some(SessionSecurity::server(flags, session_key).mech_list_mic(list));
        }
        let response = NegTokenResp {
            neg_state: Some(NegState::ACCEPT_COMPLETED),
            mech_list_mic: server_mic.as_ref().map(|mic| &mic[..]),
            ..NegTokenResp::default()
        };
        Ok(response.write())
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Continue { token } => f.debug_struct("Continue").field("token", token).finish(),
            Self::Accepted {
                domain,
                user_name,
                workstation,
                anonymous,
                ..
            } => f
                .debug_struct("Accepted")
                .field("domain", domain)
                .field("user_name", user_name)
                .field("workstation", workstation)
                .field("anonymous", anonymous)
                .finish_non_exhaustive(),
            Self::Denied(status) => f.debug_tuple("Denied").field(status).finish(),
        }
    }
}

impl From<Error> for NtStatus {
    fn from(_: Error) -> Self {
        Self::INVALID_PARAMETER
    }
}

/// [MS-NLMP] 3.2.5.1.2: no user, no response, at most the one zero byte of LM.
fn is_anonymous(message: &AuthenticateMessage<'_>) -> bool {
    message.user_name.is_empty()
        && message.nt_challenge_response.is_empty()
        && matches!(message.lm_challenge_response, [] | [0])
}

/// (responseToken, mechListMIC) of a client's NegTokenResp.
fn read_response(token: &[u8]) -> Result<(&[u8], Option<&[u8]>), NtStatus> {
    match NegotiationToken::read(token)? {
        NegotiationToken::Resp(NegTokenResp {
            neg_state,
            response_token: Some(response_token),
            mech_list_mic,
            ..
        }) if neg_state != Some(NegState::REJECT) => Ok((response_token, mech_list_mic)),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}
