//! The binary `ark`.
fn main() {}
