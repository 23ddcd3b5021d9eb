//! netsession
fn main() {}
