//! What the interoperability tests share: starting the server under test (ours or Samba's),
//! running real clients against it within a time limit, and making trees of files to compare.
//!
//! `NETSESSION_SUBJECT` chooses the server: `netsession` (the default) or `samba`, which
//! tells whether a test asks for something real. `NETSESSION_PROGRAM` and
//! `NETSESSION_PYTHON` name the program and the Python with the clients of
//! `tests/python/requirements.txt`; `cargo xtask test` sets both.

pub mod capi;
pub mod client;
pub mod guest;
pub mod program;
pub mod recording;
pub mod samba;
pub mod schema;
pub mod subject;
pub mod tree;
pub mod tshark;

pub use program::{Finished, Running};
pub use recording::Recording;
pub use subject::{Kind, Options, Subject};
