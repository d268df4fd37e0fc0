//! The requests of a client that fetches prompts with a key, and the prompts they are for.

use crate::http::{self, Connection};
use crate::load::Work;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::rc::Rc;

/// Values change from request to request, so that no answer can be kept; all are equally long, so that all answers are.
const DIFFERENT: usize = 512;

/// More than any measurement sends: the limit is counted and never reached.
const REQUESTS_PER_MINUTE: u32 = 100_000_000;

/// A prompt with two variables.
const WITH_VARIABLES: &str = "You answer a message of {{ customer }} about {{ topic }}.\n\n\
    Read the message twice before you write. Say in the first sentence what will happen next and by when. \
    If something went wrong on our side, say so plainly and once, without excuses. Use short sentences and the \
    words the customer used. Never promise a refund, a date or a discount that is not in the notes below. \
    If you need something from {{ customer }}, ask for exactly one thing and say why.\n\n\
    End with a way to reach a person. Keep the whole answer about {{ topic }} under 120 words.";

/// Which prompt is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Two variables, whose values change with every request.
    WithVariables,
    /// No variables: every answer is the same.
    Plain,
}

impl Prompt {
    /// Its slug.
    pub fn slug(self) -> &'static str {
        match self {
            Self::WithVariables => "bench-support-reply",
            Self::Plain => "bench-house-style",
        }
    }

    fn content(self) -> String {
        match self {
            Self::WithVariables => WITH_VARIABLES.to_owned(),
            Self::Plain => {
                WITH_VARIABLES.replace("{{ customer }}", "Customer").replace("{{ topic }}", "a delivery")
            }
        }
    }

    /// The `number`th path, and what its answer must contain.
    fn path(self, number: usize) -> (String, String) {
        let slug = self.slug();
        match self {
            Self::WithVariables => {
                let customer = format!("Customer{number:04}");
                (format!("/api/v1/prompts/{slug}?customer={customer}&topic=a%20late%20delivery"), customer)
            }
            Self::Plain => (format!("/api/v1/prompts/{slug}"), slug.to_owned()),
        }
    }

    /// Any one of its paths.
    pub fn any_path(self) -> String {
        self.path(0).0
    }
}

/// Fetches of one prompt.
pub struct Fetches {
    requests: Vec<Rc<[u8]>>,
    expected: Vec<String>,
    /// A bare server gives everyone the same answer.
    looks_at_answers: bool,
}

impl Fetches {
    pub fn new(prompt: Prompt, key: &str, looks_at_answers: bool) -> Self {
        let (paths, expected): (Vec<_>, Vec<_>) = (0..DIFFERENT).map(|number| prompt.path(number)).unzip();
        let requests = paths.iter().map(|path| Rc::from(http::get(path, key))).collect();
        Self { requests, expected, looks_at_answers }
    }
}

fn index(connection: usize, number: u64) -> usize {
    (connection * 7 + number as usize) % DIFFERENT
}

impl Work for Fetches {
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
        Rc::clone(&self.requests[index(connection, number)])
    }

    fn status(&self) -> u16 {
        200
    }

    fn is_right(&self, connection: usize, number: u64, body: &[u8]) -> bool {
        let expected = self.expected[index(connection, number)].as_bytes();
        !self.looks_at_answers || body.windows(expected.len()).any(|window| window == expected)
    }
}

/// Makes both prompts, and a key whose requests are counted against a limit.
pub async fn prepare(port: u16, admin: &str) -> Result<String> {
    let mut connection = Connection::open(port).await?;
    for prompt in [Prompt::WithVariables, Prompt::Plain] {
        let body = json!({"title": prompt.slug(), "slug": prompt.slug(), "content": prompt.content()});
        post(&mut connection, "/api/v1/prompts", admin, &body).await?;
    }
    let body = json!({"name": "Benchmark", "rate_limit_per_minute": REQUESTS_PER_MINUTE});
    let answer = post(&mut connection, "/api/v1/api-keys", admin, &body).await?;
    let key = answer["data"]["key"].as_str().context("the new key is not shown")?;
    Ok(key.to_owned())
}

/// A whole answer, head and body.
pub async fn sample(port: u16, prompt: Prompt, key: &str) -> Result<Vec<u8>> {
    let mut connection = Connection::open(port).await?;
    let answer = connection.exchange(&http::get(&prompt.any_path(), key)).await?;
    if answer.status != 200 {
        bail!("cannot fetch the prompt: {} {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok([answer.head, answer.body].concat())
}

/// Posts JSON that must make something.
pub async fn post(connection: &mut Connection, path: &str, key: &str, body: &Value) -> Result<Value> {
    let answer = connection.exchange(&http::post(path, key, &body.to_string())).await?;
    if answer.status != 201 {
        bail!("{path} answers with {}: {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok(serde_json::from_slice(answer.body)?)
}
