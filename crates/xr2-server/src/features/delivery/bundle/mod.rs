//! Bundles: everything that a label delivers, at one revision, for SDKs that keep it in memory.

mod build;
mod page;
pub mod routes;
mod shelf;
mod snapshot;
mod thaw;

pub use shelf::{BundleCache, Bundled};
