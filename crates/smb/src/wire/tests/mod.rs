//! Four kinds of test for every message: bytes packed by other implementations
//! (`vectors.py`), round trips, a wrong StructureSize, and an end at every byte.

mod known_bytes;
mod known_info;
mod round_trip;
mod tolerance;

use super::*;

/// A line of `vectors.txt`.
fn vector(name: &str) -> Vec<u8> {
    let lines = include_str!("vectors.txt").lines();
    let hex = lines
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name);
    let (_, hex) = hex.unwrap_or_else(|| panic!("no vector {name}"));
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// `message` with another StructureSize.
fn wrong_size(message: &[u8]) -> Vec<u8> {
    let mut wrong = message.to_vec();
    wrong[Header::SIZE] ^= 1;
    wrong
}

/// A message with an empty header and this body.
fn message(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    Header::default().write(&mut out);
    write(&mut out);
    out
}

/// The first length at which `read` succeeds; it must not panic at any.
fn first_success(bytes: &[u8], read: impl Fn(&[u8]) -> bool) -> usize {
    let lengths: Vec<_> = (0..=bytes.len())
        .filter(|length| read(&bytes[..*length]))
        .collect();
    let first = *lengths.first().expect("the whole message is readable");
    assert_eq!(
        lengths,
        (first..=bytes.len()).collect::<Vec<_>>(),
        "more bytes never hurt"
    );
    first
}
