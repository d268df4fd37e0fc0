//! Invitations: asking somebody by e-mail address to become a member, and their answer.

mod accept;
mod dto;
mod model;
mod queries;
pub mod routes;
mod service;
