//! The server as its clients meet it, on both engines.

mod delivery;
mod probes;
