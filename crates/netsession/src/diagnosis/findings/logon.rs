//! What follows from the logon.

use smb::auth;

use super::Severity::{Failure, Ok as Fine, Warning};
use super::{Findings, reason, smb_error};
use crate::diagnosis::Diagnosis;
use crate::{Code, Error, ErrorKind, smb_client};

impl Findings {
    pub(super) fn of_the_logon(&mut self, diagnosis: &Diagnosis) {
        let user = diagnosis.user.as_deref().unwrap_or_default();
        let logon = match diagnosis.logon.as_ref().map(|step| &step.result) {
            Some(Ok(logon)) => logon,
            Some(Err(error)) => return self.of_the_failed_logon(user, error),
            None => return,
        };
        if logon.encrypted {
            self.add("encrypted", Fine, "The session is encrypted.");
        }
        if !logon.signed {
            self.add(
                "anonymous-logon",
                Warning,
                "The logon was anonymous, and nothing is signed: most servers tell such a client nothing; give a user.",
            );
        } else {
            self.add(
                "logged-on",
                Fine,
                format!("The server has logged {user} on."),
            );
        }
    }

    fn of_the_failed_logon(&mut self, user: &str, error: &Error) {
        if let Some((id, text)) = account_trouble(user, error) {
            return self.add(id, Failure, text);
        }
        let (id, text) = match (error.kind(), smb_error(error)) {
            (_, Some(smb_client::Error::Downgraded(whom))) => match whom.contains("guest") {
                true => (
                    "guest-logon",
                    format!(
                        "The server made {user} a guest, as servers do with a name or a \
                         password that they do not take; this client refuses it because \
                         nothing would be signed: check both, or have the account made \
                         (Samba: `map to guest = never` says so openly)."
                    ),
                ),
                false => (
                    "logon-without-proof",
                    format!("The server did not log {user} on but {whom}; this client refuses that: check what answers there."),
                ),
            },
            (_, Some(smb_client::Error::Authentication(auth::Error::Mechanism))) => (
                "no-ntlm",
                "The server offers no NTLM, the only mechanism of this client: allow NTLMv2 for this user there.".to_owned(),
            ),
            (ErrorKind::AccessDenied, _) => (
                "logon-denied",
                format!(
                    "The server denies {user} the logon: it may demand encryption, which needs \
                     dialect 3.0 or later, or not let this user in over the network."
                ),
            ),
            (_, Some(smb_client::Error::Unsupported(_))) => (
                "encryption-not-offered",
                "Encryption is required here, but has not come about in the negotiation: allow it \
                 there and offer dialect 3.0 or later here, or do not require it."
                    .to_owned(),
            ),
            (ErrorKind::TimedOut | ErrorKind::ConnectionLost, _) => (
                "logon-broke-off",
                format!("The server breaks off during the logon: {}.", reason(error)),
            ),
            (ErrorKind::Protocol, _) => (
                "logon-not-genuine",
                format!(
                    "The answer to the logon cannot be trusted ({}): somebody may be changing \
                     messages on the way.",
                    reason(error)
                ),
            ),
            _ => ("logon-failed", format!("The server does not log {user} on: {}.", reason(error))),
        };
        self.add(id, Failure, text);
    }
}

/// A refusal because of the account itself.
fn account_trouble(user: &str, error: &Error) -> Option<(&'static str, String)> {
    let status = match error.code() {
        Some(Code::NtStatus(status)) => status,
        _ => return None,
    };
    Some(match status.0 {
        // LOGON_FAILURE, NO_SUCH_USER, WRONG_PASSWORD.
        0xC000_006D | 0xC000_0064 | 0xC000_006A => (
            "wrong-credentials",
            format!(
                "The server does not take {user} with this password: check domain, user and password."
            ),
        ),
        // ACCOUNT_DISABLED.
        0xC000_0072 => (
            "account-disabled",
            format!("The account {user} is disabled: an administrator has to enable it."),
        ),
        // ACCOUNT_LOCKED_OUT.
        0xC000_0234 => (
            "account-locked-out",
            format!(
                "The account {user} is locked out: an administrator has to unlock it, or it takes \
                 waiting until the lockout is over."
            ),
        ),
        // PASSWORD_EXPIRED, PASSWORD_MUST_CHANGE.
        0xC000_0071 | 0xC000_0224 => (
            "password-expired",
            format!("The password of {user} has to be changed: set a new one there."),
        ),
        // ACCOUNT_EXPIRED.
        0xC000_0193 => (
            "account-expired",
            format!("The account {user} has expired: an administrator has to prolong it."),
        ),
        // ACCOUNT_RESTRICTION, INVALID_LOGON_HOURS, INVALID_WORKSTATION.
        0xC000_006E..=0xC000_0070 => (
            "account-restricted",
            format!(
                "The account {user} may not log on like this ({status}): an administrator has to lift the restriction (an empty password, logon hours or computers)."
            ),
        ),
        // LOGON_TYPE_NOT_GRANTED.
        0xC000_015B => (
            "network-logon-not-granted",
            format!("{user} may not log on over the network: an administrator has to grant it."),
        ),
        // NO_LOGON_SERVERS.
        0xC000_005E => (
            "no-logon-servers",
            format!(
                "The server reaches no domain controller that could log {user} on: use one of its own accounts, or repair its connection to the domain."
            ),
        ),
        _ => return None,
    })
}
