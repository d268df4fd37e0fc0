//! Lines of two texts side by side, and the words that changed within them.

use std::time::Instant;

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::DiffStats;

/// Lines longer than this are compared as a whole.
const MAX_WORD_DIFF: usize = 20_000;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LineKind {
    Equal,
    Insert,
    Delete,
}

/// A line of one side, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// What became of it.
    pub kind: LineKind,
    /// Its number on the old side, from 1.
    pub old: Option<usize>,
    /// Its number on the new side, from 1.
    pub new: Option<usize>,
    /// Its text, without the line feed.
    pub text: String,
    /// Where it replaces a similar line: its text, cut where that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The piece.
    pub text: String,
    /// Whether the other side has it not.
    pub changed: bool,
}

/// Compares two texts. Lines are what stands between line feeds, so that joining the old lines by line feeds gives
/// the old text, and the new ones the new text.
pub(super) fn diff_lines(before: &str, after: &str, deadline: Option<Instant>) -> (Vec<DiffLine>, DiffStats) {
    let old: Vec<&str> = before.split('\n').collect();
    let new: Vec<&str> = after.split('\n').collect();
    let mut collected =
        Collected { old: &old, new: &new, deadline, lines: Vec::new(), stats: DiffStats::default() };
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline) {
        collected.op(&op);
    }
    (collected.lines, collected.stats)
}

struct Collected<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    deadline: Option<Instant>,
    lines: Vec<DiffLine>,
    stats: DiffStats,
}

impl Collected<'_> {
    fn op(&mut self, op: &DiffOp) {
        match *op {
            DiffOp::Equal { old_index, new_index, len } => {
                for step in 0..len {
                    self.push(LineKind::Equal, Some(old_index + step), Some(new_index + step), None);
                }
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                self.stats.removed += old_len;
                (old_index..old_index + old_len)
                    .for_each(|at| self.push(LineKind::Delete, Some(at), None, None));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                self.stats.added += new_len;
                (new_index..new_index + new_len)
                    .for_each(|at| self.push(LineKind::Insert, None, Some(at), None));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                self.replace(old_index, old_len, new_index, new_len);
            }
        }
    }

    fn replace(&mut self, old_index: usize, old_len: usize, new_index: usize, new_len: usize) {
        let paired = old_len.min(new_len);
        self.stats.changed += paired;
        self.stats.removed += old_len - paired;
        self.stats.added += new_len - paired;
        let mut words: Vec<_> = (0..paired)
            .map(|step| diff_words(self.old[old_index + step], self.new[new_index + step], self.deadline))
            .collect();
        for step in 0..old_len {
            let segments =
                words.get_mut(step).and_then(|pair| pair.as_mut()).map(|pair| std::mem::take(&mut pair.0));
            self.push(LineKind::Delete, Some(old_index + step), None, segments);
        }
        for step in 0..new_len {
            let segments =
                words.get_mut(step).and_then(|pair| pair.as_mut()).map(|pair| std::mem::take(&mut pair.1));
            self.push(LineKind::Insert, None, Some(new_index + step), segments);
        }
    }

    fn push(
        &mut self,
        kind: LineKind,
        old: Option<usize>,
        new: Option<usize>,
        segments: Option<Vec<Segment>>,
    ) {
        let text = old.map(|at| self.old[at]).or_else(|| new.map(|at| self.new[at])).unwrap_or_default();
        self.lines.push(DiffLine {
            kind,
            old: old.map(|at| at + 1),
            new: new.map(|at| at + 1),
            text: text.to_owned(),
            segments,
        });
    }
}

/// The words two lines share and those they do not; nothing when they have too little in common to show it.
fn diff_words(before: &str, after: &str, deadline: Option<Instant>) -> Option<(Vec<Segment>, Vec<Segment>)> {
    if before.len() > MAX_WORD_DIFF || after.len() > MAX_WORD_DIFF {
        return None;
    }
    let (old, new) = (words(before), words(after));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut shared = 0;
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline) {
        let is_equal = matches!(op, DiffOp::Equal { .. });
        let (from, to) = (&old[op.old_range()], &new[op.new_range()]);
        if is_equal {
            shared +=
                from.iter().filter(|word| !word.trim().is_empty()).map(|word| word.len()).sum::<usize>();
        }
        push_segment(&mut left, from, !is_equal);
        push_segment(&mut right, to, !is_equal);
    }
    // Two lines that share less than a fifth are two lines, not a changed one.
    (shared * 5 >= before.len().max(after.len())).then_some((left, right))
}

fn push_segment(segments: &mut Vec<Segment>, words: &[&str], changed: bool) {
    if words.is_empty() {
        return;
    }
    let text = words.concat();
    match segments.last_mut() {
        Some(last) if last.changed == changed => last.text.push_str(&text),
        _ => segments.push(Segment { text, changed }),
    }
}

/// Cuts a line into words, runs of white space, and single other characters.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, letter) in line.char_indices() {
        let class = class_of(letter);
        if last.is_some_and(|last| last != class || class == Class::Other) {
            words.push(&line[start..at]);
            start = at;
        }
        last = Some(class);
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    words
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Word,
    Space,
    Other,
}

fn class_of(letter: char) -> Class {
    if letter.is_alphanumeric() || letter == '_' {
        Class::Word
    } else if letter.is_whitespace() {
        Class::Space
    } else {
        Class::Other
    }
}
