//! Associations (C706 12.6.3, [MS-RPCE] 3.3): one per pipe, for both ends, no I/O. What is
//! written to the pipe goes into `handle_message` (server) or `handle` (client); fragments
//! may be split over or joined in messages in any way.

pub mod client;
mod fragments;
pub mod server;
#[cfg(test)]
mod tests;

pub use fragments::Fragments;

/// Most bytes in a fragment this end sends and takes: the field's maximum, cut to a multiple
/// of 8. The peer's lower wish is followed.
pub const MAX_FRAG: u16 = 65_528;

/// Every implementation takes fragments of this size (C706 12.6.3.3, MustRecvFragSize), so a
/// lower wish is not followed.
pub const MIN_FRAG: u16 = 1432;

/// The size two ends agree on for one direction.
fn negotiate_frag(theirs: u16) -> u16 {
    theirs.clamp(MIN_FRAG, MAX_FRAG)
}
