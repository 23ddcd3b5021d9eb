//! The hot paths, each as work that can be repeated: what `benches/hot_paths.rs` times,
//! `tests/allocations.rs` counts allocations of, and `hot-path-rounds` repeats under
//! callgrind.

mod codec;
mod round_trip;

/// One path.
#[derive(Clone, Copy)]
pub struct Path {
    /// Its name: what is done, to what.
    pub name: &'static str,
    /// Allocations of one round, where that is a promise.
    pub allocations: Option<u64>,
    /// Prepares the work.
    pub prepare: fn() -> Round,
}

/// One round of the work.
pub type Round = Box<dyn FnMut()>;

/// All of them.
pub fn paths() -> impl Iterator<Item = Path> {
    codec::PATHS.iter().chain(round_trip::PATHS).copied()
}
