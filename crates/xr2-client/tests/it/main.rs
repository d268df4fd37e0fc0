//! The client against a small server that speaks the formats of the contract, and misbehaves when told to.

mod conformance;
mod cut_off;
mod memory;
mod one_by_one;
mod outages;
mod server;
mod snapshot;
mod spans;
mod stream;
mod telemetry;
