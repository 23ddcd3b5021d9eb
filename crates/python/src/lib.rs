//! The compiled part of the Python package `netsession`: `netsession._netsession`.
//!
//! What a user sees of it is described in `python/netsession/_netsession.pyi`; the classes of
//! answers and exceptions are written in Python and found from here when first needed.
//!
//! Invariants: no wait of any kind holds the GIL ([`runtime::wait`]), and no lock is held
//! while the GIL is taken.

use pyo3::prelude::*;

mod adsi;
mod arguments;
mod convert;
mod errors;
mod fan_out;
mod machine;
mod netapi;
mod runtime;
mod server;
mod sessions;

/// Sessions of SMB servers: the compiled part of the package `netsession`.
#[pymodule]
mod _netsession {
    #[pymodule_export]
    use crate::adsi::{
        FileService, Resource, ResourcesCollection, Session, SessionsCollection, get_object,
    };
    #[pymodule_export]
    use crate::fan_out::{FanOut, fan_out};
    #[pymodule_export]
    use crate::netapi::Netapi;
    #[pymodule_export]
    use crate::server::{Server, connect};
    #[pymodule_export]
    use crate::sessions::Sessions;

    /// Version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
