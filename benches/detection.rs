//! How late a change is seen.

fn main() {}
