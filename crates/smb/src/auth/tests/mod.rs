//! Vectors printed by vectors.py in the folder above.

mod exchange;
mod ntlm;
mod spnego;

fn unhex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}
