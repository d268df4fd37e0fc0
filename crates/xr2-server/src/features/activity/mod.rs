//! What has happened in a workspace, for people: who did what and when; and the home page, which begins with it.

mod dto;
mod feed;
mod home;
mod queries;
mod routes;

pub use routes::*;
