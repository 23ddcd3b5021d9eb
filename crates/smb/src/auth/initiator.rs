//! The client's end ([MS-NLMP] 3.1.5, [MS-SPNG] 3.1.5).

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use super::{
    Error, nt_hash,
    ntlm::{
        self, AuthenticateMessage, AvId, AvPairs, ChallengeMessage, MSV_AV_FLAG_MIC,
        NegotiateFlags, NegotiateMessage, SessionSecurity,
    },
    spnego::{self, NegState, NegTokenInit, NegTokenResp, NegotiationToken},
};
use crate::FileTime;

/// What the NEGOTIATE_MESSAGE asks for.
const OFFERED: NegotiateFlags = NegotiateFlags(
    NegotiateFlags::UNICODE.0
        | NegotiateFlags::REQUEST_TARGET.0
        | NegotiateFlags::SIGN.0
        | NegotiateFlags::NTLM.0
        | NegotiateFlags::ALWAYS_SIGN.0
        | NegotiateFlags::EXTENDED_SESSIONSECURITY.0
        | NegotiateFlags::TARGET_INFO.0
        | NegotiateFlags::VERSION.0
        | NegotiateFlags::NEGOTIATE_128.0
        | NegotiateFlags::KEY_EXCH.0
        | NegotiateFlags::NEGOTIATE_56.0,
);

/// LmChallengeResponse beside an NTLMv2 response with a MIC: nothing.
const NO_LM_RESPONSE: [u8; 24] = [0; 24];
/// LmChallengeResponse of an anonymous client.
const ANONYMOUS_LM_RESPONSE: [u8; 1] = [0];

/// Who logs on. Zeroed when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Credentials {
    /// NetBIOS or DNS name of the account's domain; empty for a local account or a
    /// `user@domain` name.
    pub domain: String,
    /// Empty for an anonymous logon.
    pub user_name: String,
    /// What this machine calls itself; may be empty.
    pub workstation: String,
    nt_hash: [u8; 16],
}

impl Credentials {
    /// Keeps only the password's NT hash.
    pub fn new(domain: impl Into<String>, user_name: impl Into<String>, password: &str) -> Self {
        Self::with_nt_hash(domain, user_name, nt_hash(password))
    }

    /// With the NT hash in place of the password.
    pub fn with_nt_hash(
        domain: impl Into<String>,
        user_name: impl Into<String>,
        nt_hash: [u8; 16],
    ) -> Self {
        Self {
            domain: domain.into(),
            user_name: user_name.into(),
            workstation: String::new(),
            nt_hash,
        }
    }

    /// Nobody: a null session, if the server grants one.
    pub fn anonymous() -> Self {
        Self::with_nt_hash("", "", [0; 16])
    }

    /// Whether these ask for a null session.
    pub fn is_anonymous(&self) -> bool {
        self.user_name.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("domain", &self.domain)
            .field("user_name", &self.user_name)
            .field("workstation", &self.workstation)
            .finish_non_exhaustive()
    }
}

/// One logon at a server: [`start`](Self::start), [`step`](Self::step) and, with the
/// token of the last SESSION_SETUP response, [`finish`](Self::finish).
#[derive(Debug)]
pub struct Initiator {
    credentials: Credentials,
    target: String,
    mech_type_list: Vec<u8>,
    negotiate_message: Vec<u8>,
    server_offers_ntlm: bool,
    state: State,
}

enum State {
    Start,
    Negotiated,
    /// Knows the keys that the server's mechListMIC would be made with; None if the
    /// server does not sign.
    Authenticated(Option<SessionSecurity>),
    Done,
}

/// What [`Initiator::step`] makes of a challenge.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct InitiatorStep {
    /// Security buffer of the next SESSION_SETUP request.
    pub token: Vec<u8>,
    /// ExportedSessionKey, from which the session's keys are derived.
    pub session_key: [u8; 16],
}

impl Initiator {
    /// `target` is the server as the user named it: a server that checks whom the
    /// client meant compares `cifs/<target>`.
    pub fn new(credentials: Credentials, target: &str) -> Self {
        Self {
            credentials,
            target: target.to_owned(),
            mech_type_list: spnego::mech_type_list(&[spnego::NTLMSSP]),
            negotiate_message: NegotiateMessage { flags: OFFERED }.write(),
            server_offers_ntlm: true,
            state: State::Start,
        }
    }

    /// The first security buffer. `server_token`, the one of the NEGOTIATE response,
    /// is only a hint: it makes a later rejection tell its reason.
    pub fn start(&mut self, server_token: Option<&[u8]>) -> Vec<u8> {
        if let Some(Ok(NegotiationToken::Init(init))) = server_token.map(NegotiationToken::read) {
            self.server_offers_ntlm = init.mech_types.contains(&spnego::NTLMSSP);
        }
        self.state = State::Negotiated;
        NegTokenInit::write(&self.mech_type_list, &self.negotiate_message)
    }

    /// Answers the server's challenge. `client_challenge` and `exported_session_key`
    /// must be random and new for each logon; `now` counts only if the server sends no
    /// time of its own.
    ///
    /// # Errors
    /// Any of [`Error`] but MechListMic; the logon is then over.
    pub fn step(
        &mut self,
        token: &[u8],
        now: FileTime,
        client_challenge: [u8; 8],
        exported_session_key: [u8; 16],
    ) -> Result<InitiatorStep, Error> {
        if !matches!(self.state, State::Negotiated) {
            return Err(Error::State);
        }
        self.state = State::Done;
        let response = read_response(token).map_err(|error| match error {
            Error::Rejected if !self.server_offers_ntlm => Error::Mechanism,
            error => error,
        })?;
        if response
            .supported_mech
            .is_some_and(|oid| oid != spnego::NTLMSSP)
        {
            return Err(Error::Mechanism);
        }
        let challenge_message = response.response_token.ok_or(Error::NotNtlmssp)?;
        let challenge = ChallengeMessage::read(challenge_message)?;
        if !challenge.flags.contains(NegotiateFlags::UNICODE) {
            return Err(Error::Unsupported("Unicode"));
        }
        if !challenge
            .flags
            .contains(NegotiateFlags::EXTENDED_SESSIONSECURITY)
        {
            return Err(Error::Unsupported("extended session security"));
        }
        let flags = OFFERED & challenge.flags;
        let (message, session_key) = if self.credentials.is_anonymous() {
            self.anonymous_message(flags, exported_session_key)?
        } else {
            self.authenticate_message(
                &challenge,
                challenge_message,
                flags,
                now,
                client_challenge,
                exported_session_key,
            )?
        };
        // No key of a null session proves anything, so it signs nothing.
        let signs = !self.credentials.is_anonymous();
        let mic = signs.then(|| {
            SessionSecurity::client(flags, &session_key).mech_list_mic(&self.mech_type_list)
        });
        let token = NegTokenResp {
            neg_state: Some(NegState::ACCEPT_INCOMPLETE),
            supported_mech: None,
            response_token: Some(&message),
            mech_list_mic: mic.as_ref().map(|mic| &mic[..]),
        }
        .write();
        self.state =
            State::Authenticated(signs.then(|| SessionSecurity::server(flags, &session_key)));
        Ok(InitiatorStep { token, session_key })
    }

    /// Takes the security buffer of the SESSION_SETUP response that ends the logon; it
    /// may be empty. A mechListMIC in it is checked; its absence is not an error, for
    /// several servers send none.
    ///
    /// # Errors
    /// [`Error::Rejected`], [`Error::MechListMic`], [`Error::Der`], [`Error::State`].
    pub fn finish(&mut self, token: &[u8]) -> Result<(), Error> {
        let State::Authenticated(security) = std::mem::replace(&mut self.state, State::Done) else {
            return Err(Error::State);
        };
        if token.is_empty() {
            return Ok(());
        }
        let response = read_response(token)?;
        if response
            .neg_state
            .is_some_and(|state| state != NegState::ACCEPT_COMPLETED)
        {
            return Err(Error::State);
        }
        if let (Some(claimed), Some(security)) = (response.mech_list_mic, security) {
            let expected = security.mech_list_mic(&self.mech_type_list);
            if !bool::from(expected.ct_eq(claimed)) {
                return Err(Error::MechListMic);
            }
        }
        Ok(())
    }

    /// AUTHENTICATE_MESSAGE with an NTLMv2 response and a MIC, and ExportedSessionKey.
    fn authenticate_message(
        &self,
        challenge: &ChallengeMessage<'_>,
        challenge_message: &[u8],
        flags: NegotiateFlags,
        now: FileTime,
        client_challenge: [u8; 8],
        exported_session_key: [u8; 16],
    ) -> Result<(Vec<u8>, [u8; 16]), Error> {
        let Credentials {
            domain,
            user_name,
            workstation,
            nt_hash,
        } = &self.credentials;
        let client_part = self.client_part(challenge, now, client_challenge)?;
        let response_key = ntlm::ntowf_v2(nt_hash, user_name, domain);
        let proof = ntlm::nt_proof_str(&response_key, &challenge.server_challenge, &client_part);
        let key_exchange_key = ntlm::session_base_key(&response_key, &proof);
        let (session_key, encrypted) = exchange_key(flags, key_exchange_key, exported_session_key);
        let mut message = AuthenticateMessage {
            lm_challenge_response: &NO_LM_RESPONSE,
            nt_challenge_response: &[&proof, &client_part[..]].concat(),
            domain_name: &ntlm::utf16(domain),
            user_name: &ntlm::utf16(user_name),
            workstation: &ntlm::utf16(workstation),
            encrypted_random_session_key: encrypted.as_ref().map_or(&[], |key| &key[..]),
            flags,
            mic: None,
        }
        .write()?;
        let messages: [&[u8]; 3] = [&self.negotiate_message, challenge_message, &message];
        let mic = ntlm::mic(&session_key, &messages);
        AuthenticateMessage::set_mic(&mut message, &mic);
        Ok((message, session_key))
    }

    /// NTLMv2_CLIENT_CHALLENGE ([MS-NLMP] 2.2.2.7): the server's AV_PAIRs and ours.
    fn client_part(
        &self,
        challenge: &ChallengeMessage<'_>,
        now: FileTime,
        client_challenge: [u8; 8],
    ) -> Result<Vec<u8>, Error> {
        let mut time = now.0.to_le_bytes();
        let mut flags = MSV_AV_FLAG_MIC;
        let mut pairs = Vec::new();
        let mut from_server = AvPairs::new(challenge.target_info);
        while let Some((id, value)) = from_server.next()? {
            match id {
                AvId::FLAGS => {
                    let bytes = value
                        .try_into()
                        .map_err(|_| Error::Truncated("MsvAvFlags"))?;
                    flags |= u32::from_le_bytes(bytes);
                }
                // The client's to say; a server's copy would come first and win.
                AvId::TARGET_NAME | AvId::CHANNEL_BINDINGS => {}
                _ => {
                    if id == AvId::TIMESTAMP {
                        time = value
                            .try_into()
                            .map_err(|_| Error::Truncated("MsvAvTimestamp"))?;
                    }
                    AvPairs::write(&mut pairs, id, value);
                }
            }
        }
        AvPairs::write(&mut pairs, AvId::FLAGS, &flags.to_le_bytes());
        // SMB2 runs in no TLS channel it could be bound to.
        AvPairs::write(&mut pairs, AvId::CHANNEL_BINDINGS, &[0; 16]);
        let target_name = ntlm::utf16(&format!("cifs/{}", self.target));
        if u16::try_from(target_name.len()).is_err() {
            return Err(Error::TooLong);
        }
        AvPairs::write(&mut pairs, AvId::TARGET_NAME, &target_name);
        AvPairs::write(&mut pairs, AvId::EOL, &[]);

        // RespType, HiRespType, Reserved1, Reserved2.
        let mut out = vec![1, 1, 0, 0, 0, 0, 0, 0];
        out.extend_from_slice(&time);
        out.extend_from_slice(&client_challenge);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&pairs);
        out.extend_from_slice(&[0; 4]);
        Ok(out)
    }

    fn anonymous_message(
        &self,
        flags: NegotiateFlags,
        exported_session_key: [u8; 16],
    ) -> Result<(Vec<u8>, [u8; 16]), Error> {
        let flags = flags | NegotiateFlags::ANONYMOUS;
        let (session_key, encrypted) = exchange_key(flags, [0; 16], exported_session_key);
        let message = AuthenticateMessage {
            lm_challenge_response: &ANONYMOUS_LM_RESPONSE,
            nt_challenge_response: &[],
            domain_name: &[],
            user_name: &[],
            workstation: &ntlm::utf16(&self.credentials.workstation),
            encrypted_random_session_key: encrypted.as_ref().map_or(&[], |key| &key[..]),
            flags,
            mic: None,
        }
        .write()?;
        Ok((message, session_key))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "Start",
            Self::Negotiated => "Negotiated",
            Self::Authenticated(_) => "Authenticated",
            Self::Done => "Done",
        })
    }
}

impl fmt::Debug for InitiatorStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitiatorStep")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// (ExportedSessionKey, EncryptedRandomSessionKey): without KEY_EXCH the former is the
/// KeyExchangeKey and the latter is not sent.
fn exchange_key(
    flags: NegotiateFlags,
    key_exchange_key: [u8; 16],
    exported_session_key: [u8; 16],
) -> ([u8; 16], Option<[u8; 16]>) {
    if flags.contains(NegotiateFlags::KEY_EXCH) {
        let encrypted = ntlm::rc4(&key_exchange_key, exported_session_key);
        (exported_session_key, Some(encrypted))
    } else {
        (key_exchange_key, None)
    }
}

fn read_response(token: &[u8]) -> Result<NegTokenResp<'_>, Error> {
    match NegotiationToken::read(token)? {
        NegotiationToken::Resp(response) if response.neg_state == Some(NegState::REJECT) => {
            Err(Error::Rejected)
        }
        NegotiationToken::Resp(response) => Ok(response),
        NegotiationToken::Init(_) => Err(Error::Der),
    }
}
