#![doc = include_str!("../README.md")]

mod addresses;
mod client;
mod rules;

pub use addresses::Kind;
pub use client::{Answer, Client, Error, Request};
pub use rules::{Allowed, Rules};
