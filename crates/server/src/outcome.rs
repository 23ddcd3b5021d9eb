//! How a waiting request goes on: what whoever makes it ready posts into the outbox of its
//! connection.

use smb::NtStatus;
use smb::wire::{ChangeNotifyResponse, LockResponse};

use crate::budget::Charge;
use crate::file::watch;
use crate::request::{Done, Failure};
use crate::response::Response;

/// How a waiting request goes on.
pub(crate) enum Outcome {
    /// What it waited for may have happened: it is executed again from its beginning.
    Retry,
    /// It has ended with this status and no data.
    Ended(NtStatus),
    /// It has ended with this status and this body of a response.
    Answered(NtStatus, Vec<u8>),
    /// It was executed on a thread that may wait.
    Executed(Box<Executed>),
}

/// What another thread made of a request.
pub(crate) struct Executed {
    /// As lent.
    pub(crate) bytes: Vec<u8>,
    /// That of the request.
    pub(crate) charge: Option<Charge>,
    /// That of `bytes`.
    pub(crate) bytes_charge: Option<Charge>,
    /// A response of its own; the body is written behind a header that is not filled in.
    pub(crate) response: Response,
    pub(crate) result: Result<Done, Failure>,
}

impl Outcome {
    /// Of a CHANGE_NOTIFY for which there is an answer.
    pub(crate) fn changed(answer: &watch::Answer) -> Self {
        let status = answer.status();
        if status.is_error() {
            return Self::Ended(status);
        }
        let mut body = Vec::new();
        write_changes(answer, &mut body);
        Self::Answered(status, body)
    }

    /// Of a LOCK that has been granted.
    pub(crate) fn lock_granted() -> Self {
        let mut body = Vec::new();
        LockResponse.write(&mut body);
        Self::Answered(NtStatus::SUCCESS, body)
    }
}

/// The body of a CHANGE_NOTIFY response.
pub(crate) fn write_changes(answer: &watch::Answer, out: &mut Vec<u8>) {
    let changes = match answer {
        watch::Answer::Changes(changes) => changes.as_slice(),
        _ => &[],
    };
    ChangeNotifyResponse {
        output_buffer: changes,
    }
    .write(out);
}
