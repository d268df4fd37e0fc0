//! A workspace full of prompts, written past the server.

use super::queries::{self, Rows};
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use xr2_db::{Db, JsonText, Options, Purpose, Value};

/// Prompts that are written in one transaction.
const BATCH: usize = 500;

/// Words by how often they are used: the nth about an nth as often as the first, as in any language.
const COMMON: &[&str] = &[
    "write",
    "customer",
    "summary",
    "answer",
    "report",
    "email",
    "product",
    "support",
    "review",
    "release",
    "notes",
    "meeting",
    "refund",
    "translate",
    "invoice",
    "onboarding",
    "classify",
    "sentiment",
    "extract",
    "contract",
    "policy",
    "feedback",
    "campaign",
    "budget",
    "schedule",
    "interview",
    "research",
    "outline",
    "headline",
    "agenda",
];
const SYLLABLES: &[&str] = &[
    "ba", "con", "de", "fi", "ga", "ho", "in", "jo", "ka", "lu", "me", "no", "or", "pa", "qui", "re", "so",
    "ta", "un", "ver", "wi", "xa", "yo", "ze",
];
const WORDS: u64 = 40_000;

/// A generator that gives the same numbers every time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    /// A word; common ones often.
    pub fn word(&mut self) -> String {
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        word((WORDS as f64).powf(share) as u64 - 1)
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

/// The word of a rank.
pub fn word(rank: u64) -> String {
    if let Some(common) = usize::try_from(rank).ok().and_then(|rank| COMMON.get(rank)) {
        return (*common).to_owned();
    }
    let base = SYLLABLES.len() as u64;
    let mut rest = rank + base * base;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[(rest % base) as usize]);
        rest /= base;
    }
    word
}

/// What is written.
#[derive(Clone, Copy)]
pub struct Size {
    pub prompts: usize,
    pub versions: usize,
}

/// Fills the workspace of `database` that was made first. `pattern`: a prompt in it, like which all versions are.
pub async fn fill(database: &str, size: Size, pattern: &str) -> Result<()> {
    let (db, _) = Db::open(&Options::new(database)).await?;
    let mut tx = db.system(Purpose::Memberships).read().await?;
    let workspace = queries::first_workspace(&mut tx).await?;
    tx.commit().await?;
    let mut tx = db.tenant(workspace).read().await?;
    let like = queries::pattern(&mut tx, pattern).await?;
    tx.commit().await?;
    let began: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut dice = Dice::new(7);
    for first in (0..size.prompts).step_by(BATCH) {
        let mut rows = Rows::default();
        for number in first..(first + BATCH).min(size.prompts) {
            let at = began + TimeDelta::seconds(i64::try_from(number)?);
            push(&mut rows, workspace, number, size.versions, at, &like, &mut dice);
        }
        let mut tx = db.tenant(workspace).write().await?;
        queries::insert(&mut tx, rows).await?;
        tx.commit().await?;
    }
    // The server's own work puts them into the index; nothing is measured before that.
    loop {
        let mut tx = db.tenant(workspace).read().await?;
        let missing = queries::not_indexed(&mut tx).await?;
        tx.commit().await?;
        if missing == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    db.close().await;
    Ok(())
}

fn push(
    rows: &mut Rows,
    workspace: Uuid,
    number: usize,
    versions: usize,
    at: DateTime<Utc>,
    (variables, config, author): &(JsonText, JsonText, JsonText),
    dice: &mut Dice,
) {
    let id = Uuid::from_u128((0x0190_0000_0000_7000_8000_u128 << 48) | number as u128);
    let (title, description) = (dice.words(4), dice.words(12));
    let slug = format!("large-{number}");
    let tags = [format!("team-{}", dice.below(20)), format!("rare-{}", dice.below(2000))];
    let text = |dice: &mut Dice| format!("{} for {{{{ product }}}}.", dice.words(90));
    let last = versions as i64;
    let mut content = String::new();
    for number in 1..=last {
        content = text(dice);
        rows.versions.extend([
            Uuid::from_u128(id.as_u128() | (number as u128) << 40).into(),
            workspace.into(),
            id.into(),
            number.into(),
            (number > 1).then_some(number - 1).into(),
            "main".into(),
            "author".into(),
            "text".into(),
            "simple".into(),
            content.as_str().into(),
            variables.clone().into(),
            config.clone().into(),
            "".into(),
            author.clone().into(),
            Value::from(at),
        ]);
    }
    let facts = format!("{title}\n{slug}\n{description}\n{}", tags.join("\n"));
    rows.prompts.extend([
        id.into(),
        workspace.into(),
        slug.as_str().into(),
        title.as_str().into(),
        description.as_str().into(),
        "text".into(),
        "simple".into(),
        format!("category {}", dice.below(12)).into(),
        Value::json(&tags),
        Value::json(&serde_json::json!({})),
        content.chars().take(160).collect::<String>().into(),
        false.into(),
        last.into(),
        last.into(),
        author.clone().into(),
        at.into(),
        author.clone().into(),
        at.into(),
        facts.into(),
        content.into(),
    ]);
    rows.slugs.extend([workspace.into(), slug.as_str().into(), id.into(), true.into(), at.into()]);
    for tag in &tags {
        rows.tags.extend([workspace.into(), tag.as_str().into(), id.into()]);
    }
    rows.labels.extend([
        workspace.into(),
        id.into(),
        "production".into(),
        last.into(),
        author.clone().into(),
        at.into(),
    ]);
}
