//! NTLMSSP: messages and NTLMv2 computations ([MS-NLMP] 2.2, 3.3.2, 3.4).

mod av_pair;
mod key;
mod message;

pub(super) use av_pair::{AvId, AvPairs, MSV_AV_FLAG_MIC};
pub(super) use key::{
    SessionSecurity, mic, nt_hash, nt_proof_str, ntowf_v2, rc4, session_base_key,
};
pub(super) use message::{
    AuthenticateMessage, ChallengeMessage, NegotiateFlags, NegotiateMessage, is_ntlmssp,
    read_utf16, utf16,
};
