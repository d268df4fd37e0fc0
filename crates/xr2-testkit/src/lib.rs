//! The one way to boot xr2 in a test: the real server on a real socket, on a fresh database of either engine, with a
//! second workspace full of `CANARY` text planted beside the one under test.
//!
//! ```text
//! xr2_testkit::both!(a_key_is_shown_once, |app| async move {
//!     let owner = app.owner().await;
//!     let made = owner.post("/api-keys", json!({ "name": "shop" })).await.created();
//!     assert!(owner.get("/api-keys").await.ok().data()[0]["key"].is_null());
//!     assert_eq!(app.new_events().await, ["api_key.created"]);
//! });
//! ```
//!
//! `both!` makes two tests of one body, `sqlite` and `postgresql`. The latter needs the address of a PostgreSQL server
//! on which it may make databases, in `XR2_TEST_POSTGRES`. Without it the test says so and passes, unless
//! `XR2_TEST_REQUIRE_ALL=1` demands that everything is run.
//!
//! Every answer (body and headers), every event outside the planted workspace and every log line is searched for what
//! was planted, for the secrets that answers carried, and for errors that no test expects.

mod answer;
mod app;
mod canary;
mod client;
mod database;
mod fault;
mod fixtures;
mod http;
mod logs;
mod pair;
mod proxy;
mod queries;
mod redis;
mod run;

pub use answer::Answer;
pub use app::TestApp;
pub use canary::{CANARY_ID, CANARY_SLUG, Canary};
pub use client::{Client, Request};
pub use database::{postgres_url, redis_url};
pub use fixtures::{KeyFixture, PASSWORD};
pub use http::http;
pub use pair::PostgresPair;
pub use proxy::{Network, Proxy};
pub use queries::EventRow;
pub use redis::{RedisServer, has_redis};
pub use run::{Options, run};
pub use xr2_db::Engine;

/// One body, two tests: `name::sqlite` and `name::postgresql`. An optional second argument gives [`Options`].
#[macro_export]
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, $test:expr $(,)?) => {
        $crate::both!($(#[$meta])* $name, $crate::Options::new(), $test);
    };
    ($(#[$meta:meta])* $name:ident, $options:expr, $test:expr $(,)?) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a body may need nothing of what surrounds it")]
            use super::*;

            #[test]
            fn sqlite() {
                $crate::run($crate::Engine::Sqlite, $options, $test);
            }

            #[test]
            fn postgresql() {
                $crate::run($crate::Engine::Postgres, $options, $test);
            }
        }
    };
}
