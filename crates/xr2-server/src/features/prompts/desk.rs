//! Compiling what a change needs beside its transaction.
//!
//! What a template includes is only known for sure inside the write transaction, and compiling may take long. So a
//! change is *attempted*: where it needs something compiled that has not been yet, the attempt notes it and ends without
//! a trace; it is compiled while no transaction runs; and the change is attempted again. What was compiled is found
//! again by what it was made of (the source, and the versions its includes lead to), so an attempt that finds an include
//! moved meanwhile sees that at once and asks anew.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use xr2_prompt::{Compiled, compile};

use crate::error::{ApiError, Code, Result};
use crate::features::prompts::includes::{Snippets, has_includes};
use crate::features::prompts::source::{Source, template_error};
use crate::heavy::heavy;

/// Templates up to this length that include nothing are compiled where they stand: that takes less time than asking the
/// database once more.
const LIGHT: usize = 16 * 1024;

/// Attempts before the client is told to try again. One or two do, unless somebody keeps changing the includes.
const ATTEMPTS: usize = 12;

tokio::task_local! { static DESK: RefCell<Desk>; }

type Key = [u8; 32];

/// What one change has had compiled, and what it still wants.
#[derive(Default)]
struct Desk {
    done: HashMap<Key, Result<Arc<Compiled>>>,
    wanted: Vec<(Key, Job)>,
}

struct Job {
    slug: Option<String>,
    source: Source,
    snippets: Snippets,
}

impl Job {
    fn run(&self) -> Result<Arc<Compiled>> {
        compile_here(self.slug.as_deref(), &self.source, &self.snippets).map(Arc::new)
    }
}

/// Makes a change with `attempt`, which begins and commits it, again and again until everything it needs is compiled.
pub async fn compiled_beside<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let attempts = async {
        for _ in 0..ATTEMPTS {
            let outcome = attempt().await;
            let wanted = DESK.with(|desk| std::mem::take(&mut desk.borrow_mut().wanted));
            if outcome.is_ok() || wanted.is_empty() {
                return outcome;
            }
            let work = move || wanted.into_iter().map(|(key, job)| (key, job.run())).collect::<Vec<_>>();
            let done = heavy(work).await?;
            DESK.with(|desk| desk.borrow_mut().done.extend(done));
        }
        Err(not_yet())
    };
    DESK.scope(RefCell::default(), attempts).await
}

/// Compiles `source`, or finds what was compiled of just this; within [`compiled_beside`] an error that asks for another
/// attempt when it is neither light nor done yet. 422 TEMPLATE_ERROR with every problem.
pub fn compiled(slug: Option<&str>, source: &Source, snippets: &Snippets) -> Result<Arc<Compiled>> {
    let here = || compile_here(slug, source, snippets).map(Arc::new);
    if is_light(source) {
        return here();
    }
    let at_desk = DESK.try_with(|desk| {
        let key = key_of(slug, source, snippets);
        let mut desk = desk.borrow_mut();
        if let Some(done) = desk.done.get(&key) {
            return done.clone();
        }
        let job = Job { slug: slug.map(str::to_owned), source: source.clone(), snippets: snippets.clone() };
        desk.wanted.push((key, job));
        Err(not_yet())
    });
    at_desk.unwrap_or_else(|_| here())
}

/// Whether an error says only that something is still to be compiled.
pub fn is_not_yet(error: &ApiError) -> bool {
    error.code == Code::Unavailable && DESK.try_with(|desk| !desk.borrow().wanted.is_empty()).unwrap_or(false)
}

/// Compiles where no transaction waits for it: what is light at once, the rest beside the threads that serve requests.
pub async fn compile_off(
    slug: String,
    source: Source,
    snippets: Snippets,
) -> Result<std::result::Result<Compiled, xr2_prompt::CompileError>> {
    let is_light = is_light(&source);
    let work = move || compile_now(&slug, &source, &snippets);
    if is_light { Ok(work()) } else { heavy(work).await }
}

/// Compiles here and now; for those who are beside the threads that serve requests already.
pub fn compile_now(
    slug: &str,
    source: &Source,
    snippets: &Snippets,
) -> std::result::Result<Compiled, xr2_prompt::CompileError> {
    let Source { content, syntax, contract, .. } = source;
    compile(Some(slug), content, *syntax, contract, &mut |target| snippets.resolve(target))
}

fn compile_here(slug: Option<&str>, source: &Source, snippets: &Snippets) -> Result<Compiled> {
    compile(slug, &source.content, source.syntax, &source.contract, &mut |target| snippets.resolve(target))
        .map_err(|error| template_error(&error))
}

fn is_light(source: &Source) -> bool {
    source.content.texts().map(|(_, text)| text.len()).sum::<usize>() <= LIGHT && !has_includes(source)
}

fn not_yet() -> ApiError {
    ApiError::new(
        Code::Unavailable,
        "What this prompt includes kept changing. Nothing was saved; please try again.",
    )
}

/// What a compiled template is made of: versions never change, so their numbers stand for the snippets' text.
fn key_of(slug: Option<&str>, source: &Source, snippets: &Snippets) -> Key {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    add(slug.unwrap_or_default().as_bytes());
    add(source.syntax.as_str().as_bytes());
    add(source.stored_content().as_bytes());
    add(serde_json::to_string(&source.contract).unwrap_or_default().as_bytes());
    let mut found: Vec<String> = snippets
        .found()
        .map(|(target, found)| match found {
            Ok((id, snippet)) => format!("{target:?} {id} {} {}", snippet.slug, snippet.version),
            Err(error) => format!("{target:?} {}", error.0),
        })
        .collect();
    found.sort_unstable();
    for one in &found {
        add(one.as_bytes());
    }
    digest.finalize().into()
}
