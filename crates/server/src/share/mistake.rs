//! A store that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use smb::NtStatus;

/// Calls a store: if it panics, the call has failed with INTERNAL_ERROR, and nothing else has
/// happened. What the server holds meanwhile is given back as after any other error.
pub(crate) fn caught<T, E: From<NtStatus>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // Whatever a panic leaves half-done is the store's: our own locks do not mind poison.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(NtStatus::INTERNAL_ERROR.into()))
}
