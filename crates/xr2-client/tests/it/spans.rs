//! What stands on the caller's span.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

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
