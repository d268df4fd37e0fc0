//! What a person keeps about prompts for themselves: favourites.

mod queries;
pub mod routes;

pub use queries::favourites;
