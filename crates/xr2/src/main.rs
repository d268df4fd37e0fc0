//! The xr2 binary.

fn main() {}
