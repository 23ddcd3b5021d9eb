//! Authentication tokens of SESSION_SETUP: SPNEGO around NTLMv2, both ends
//! ([MS-SPNG], RFC 4178, [MS-NLMP]).
//!
//! NTLMv2 only: responses of NTLMv1 and LM are neither made nor accepted. Random
//! numbers and the time are arguments; accounts come from the caller's lookup.

mod acceptor;
mod der;
mod initiator;
mod ntlm;
mod spnego;

#[cfg(test)]
mod tests;

pub use acceptor::{Acceptor, AcceptorConfig, Step};
pub use initiator::{Credentials, Initiator, InitiatorStep};

/// The NT hash of a password ([MS-NLMP] 3.3.1): as good as the password itself, so keep
/// it as secret.
pub fn nt_hash(password: &str) -> [u8; 16] {
    ntlm::nt_hash(password)
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bad bytes: the SPNEGO token's DER.
    #[error("the security token is not valid SPNEGO DER")]
    Der,
    /// Bad bytes: something ends before its end.
    #[error("{0} is cut off")]
    Truncated(&'static str),
    /// Bad bytes: a name.
    #[error("a name in the security token is not valid UTF-16")]
    Utf16,
    /// Bad bytes: an NTLMSSP message was expected.
    #[error("the mechanism token is not an NTLMSSP message")]
    NotNtlmssp,
    /// The peer's NTLMSSP messages come in the wrong order.
    #[error("expected NTLMSSP message {expected}, got {found}")]
    MessageType {
        /// MessageType that the state asks for.
        expected: u32,
        /// MessageType that came.
        found: u32,
    },
    /// The peers have no mechanism in common.
    #[error("the peer offers no NTLM, the only mechanism supported here")]
    Mechanism,
    /// The peer does not do Unicode, extended session security or NTLMv2.
    #[error("the peer's NTLM lacks {0}")]
    Unsupported(&'static str),
    /// The server said no.
    #[error("the server rejected the negotiation")]
    Rejected,
    /// The server's mechListMIC is wrong: somebody changed the list of mechanisms, or
    /// the server does not know the password.
    #[error("the server's mechListMIC is wrong: the negotiation was altered on its way")]
    MechListMic,
    /// Misuse: a name of more than 32,767 letters, or a target of that length.
    #[error("a name is too long for an NTLMSSP message")]
    TooLong,
    /// Misuse, or a server that goes on when it should be done.
    #[error("no security token is expected now")]
    State,
}
