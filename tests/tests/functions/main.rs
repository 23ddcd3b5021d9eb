//! NetSessionEnum, NetSessionGetInfo and NetSessionDel: one table of calls, put to the
//! Rust, C and Python libraries and the command line, of our server (over the network and
//! on this machine) and of Samba at the levels it has.
//!
//! [`call`] has what is asked and answered, [`driver`] those who ask, [`scene`] the server
//! with its sessions, [`table`] the rows. What cannot be a row of a table, because it changes
//! the scene or needs a server that misbehaves, stands in a module of its own.

mod call;
mod driver;
mod endings;
mod interrupted;
mod paging;
mod scene;
mod table;
mod times;
mod unreachable;
