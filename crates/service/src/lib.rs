//! The Server service: accounts, configuration and policy, and srvsvc ([MS-SRVS]) on its
//! named pipe, on top of the SMB server.

pub mod account;
pub mod config;
pub mod local;
pub mod policy;
mod serve;
pub mod srvsvc_pipe;

mod text;

pub use serve::{Service, ServiceError};
