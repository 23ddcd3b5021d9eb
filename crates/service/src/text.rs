//! Places in a text file, for error messages.

/// Line of a byte position, counted from 1.
pub(crate) fn line_of(text: &str, position: usize) -> usize {
    let head = text.as_bytes().get(..position).unwrap_or(text.as_bytes());
    head.iter().filter(|&&byte| byte == b'\n').count() + 1
}
