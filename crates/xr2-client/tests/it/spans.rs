//! What stands on the caller's span, and in its events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tracing::Event;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::server::{Server, prompt};

type Fields = Arc<Mutex<BTreeMap<String, String>>>;

struct Kept(Fields);

struct Visitor<'a>(&'a Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for Kept {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut Visitor(&self.0));
    }

    fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
        record.record(&mut Visitor(&self.0));
    }
}

/// Keeps events of the level DEBUG, with the span they belong to.
struct Told(Fields);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Told {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() == "xr2::get" && *metadata.level() == tracing::Level::DEBUG {
            event.record(&mut Visitor(&self.0));
            let span = context.event_span(event).map(|span| span.name().to_owned());
            self.0.lock().unwrap().insert("span".to_owned(), span.unwrap_or_default());
        }
    }
}

#[tokio::test]
async fn the_prompt_is_told_by_an_event_of_a_span_that_has_no_fields_for_it() {
    let mut tested = prompt("welcome", 3, "Hello");
    tested["ab_test"] = serde_json::json!({"variant": "b"});
    let server = Server::start(1, vec![tested]).await;
    let client = server.client();
    client.ready().await.unwrap();
    let fields = Fields::default();
    let subscriber = tracing_subscriber::registry().with(Told(fields.clone()));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info_span!("answer").in_scope(|| client.get_now("welcome").unwrap());
    });
    let fields = fields.lock().unwrap();
    let field = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!(field("span"), Some("answer"));
    assert_eq!(field("xr2.prompt.slug"), Some("\"welcome\""));
    assert_eq!(field("xr2.prompt.version"), Some("3"));
    assert_eq!(field("xr2.prompt.label"), Some("\"production\""));
    assert_eq!(field("xr2.prompt.variant"), Some("\"b\""));
}

#[tokio::test]
async fn the_prompt_is_recorded_where_the_span_has_fields_for_it() {
    let server = Server::start(1, vec![prompt("welcome", 3, "Hello")]).await;
    let client = server.client();
    client.ready().await.unwrap();
    let fields = Fields::default();
    let subscriber = tracing_subscriber::registry().with(Kept(fields.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(
            "answer",
            xr2.prompt.slug = tracing::field::Empty,
            xr2.prompt.version = tracing::field::Empty,
            xr2.prompt.label = tracing::field::Empty,
        );
        span.in_scope(|| client.get_now("welcome").unwrap());
    });
    let fields = fields.lock().unwrap();
    let found: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        found,
        [
            ("xr2.prompt.label", "\"production\""),
            ("xr2.prompt.slug", "\"welcome\""),
            ("xr2.prompt.version", "3"),
        ]
    );
}

#[tokio::test]
async fn nothing_of_an_earlier_prompt_stands_beside_a_later_one() {
    let mut tested = prompt("welcome", 3, "Hello");
    tested["ab_test"] = serde_json::json!({"variant": "b"});
    let server = Server::start(1, vec![tested]).await;
    let client = server.client();
    client.ready().await.unwrap();
    let fields = Fields::default();
    let subscriber = tracing_subscriber::registry().with(Kept(fields.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(
            "answer",
            xr2.prompt.slug = tracing::field::Empty,
            xr2.prompt.version = tracing::field::Empty,
            xr2.prompt.label = tracing::field::Empty,
            xr2.prompt.variant = tracing::field::Empty,
        );
        span.in_scope(|| {
            client.get_now("welcome").unwrap();
            client.get("absent").fallback("Hello").now().unwrap();
        });
    });
    let fields = fields.lock().unwrap();
    let found: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        found,
        [
            ("xr2.prompt.label", "\"\""),
            ("xr2.prompt.slug", "\"absent\""),
            ("xr2.prompt.variant", "\"\""),
            ("xr2.prompt.version", "0"),
        ]
    );
}
