//! A server to test against, for tests that are not written in Rust: started as the tests
//! of this crate start it, named on standard output, stopped when standard input ends.
//!
//! usage: subject netsession|samba

use std::io::Read as _;

use netsession_tests::subject::{Kind, Options, Subject};

fn main() {
    let kind = match std::env::args().nth(1).as_deref() {
        Some("netsession") => Kind::Netsession,
        Some("samba") => Kind::Samba,
        _ => {
            eprintln!("usage: subject netsession|samba");
            std::process::exit(2);
        }
    };
    let subject = Subject::of(kind, Options::default());
    println!("listening on {}", subject.address());
    // Whatever ends whoever started us ends this too.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
