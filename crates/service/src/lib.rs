//! The Server service: accounts, configuration and policy, and srvsvc ([MS-SRVS]) on its
//! named pipe, on top of the SMB server.

pub mod account;
pub mod config;
mod descriptors;
mod journal;
pub mod local;
pub mod policy;
mod serve;
pub mod srvsvc_pipe;

mod text;

pub use descriptors::raise_descriptor_limit;
pub use serve::{Service, ServiceError};
