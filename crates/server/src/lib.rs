//! The SMB2/3 server ([MS-SMB2] 3.3).

pub mod account;
pub mod application;
pub mod pipe;
pub mod share;
