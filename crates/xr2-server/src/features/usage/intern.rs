//! Texts that come again and again (names of programs, of the variables sent) are kept once a thread: noting a
//! delivery then allocates nothing for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use xxhash_rust::xxh3::Xxh3Builder;

use super::event::cut;

/// Texts kept by a thread. More than a few hundred are somebody's invention; then it starts over.
const MOST: usize = 1024;

/// Names of one delivery that are kept.
const MOST_NAMES: usize = 64;

/// Nobody outside can choose two texts that are taken for one another.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());

thread_local! {
    static TEXTS: RefCell<HashMap<u64, Arc<str>, Xxh3Builder>> =
        const { RefCell::new(HashMap::with_hasher(Xxh3Builder::new())) };
}

/// The name of a client's program.
pub fn agent(text: &str) -> Arc<str> {
    let text = cut(text);
    let hash = xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), *SEED);
    kept(hash, || text.into())
}

/// Names of variables in the order sent, as a JSON list. None is none.
pub fn names<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<Arc<str>> {
    let mut hash = !*SEED;
    for name in names.clone().take(MOST_NAMES) {
        hash = xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), hash);
    }
    if hash == !*SEED {
        return None;
    }
    Some(kept(hash, || {
        let all: Vec<&str> = names.take(MOST_NAMES).map(cut).collect();
        serde_json::to_string(&all).unwrap_or_default().into()
    }))
}

fn kept(hash: u64, make: impl FnOnce() -> Arc<str>) -> Arc<str> {
    TEXTS.with_borrow_mut(|texts| {
        if let Some(text) = texts.get(&hash) {
            return text.clone();
        }
        if texts.len() >= MOST {
            texts.clear();
        }
        texts.entry(hash).or_insert_with(make).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_the_same() {
        let first = agent("curl/8.5");
        assert!(Arc::ptr_eq(&first, &agent("curl/8.5")));
        assert_eq!(&*agent(&"x".repeat(1000)), "x".repeat(256));
        let pair = names(["b", "a"].into_iter());
        assert_eq!(pair.as_deref(), Some(r#"["b","a"]"#));
        assert_eq!(names(["ba"].into_iter()).as_deref(), Some(r#"["ba"]"#));
        assert_eq!(names([].into_iter()), None);
    }

    #[test]
    fn inventing_texts_fills_no_memory() {
        for number in 0..5000 {
            agent(&number.to_string());
        }
        assert!(TEXTS.with_borrow(HashMap::len) <= MOST);
    }
}
