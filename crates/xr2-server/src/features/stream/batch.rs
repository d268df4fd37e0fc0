//! What happened up to a revision, as bytes: written once, and cut to what each listener asked for without copying.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use uuid::Uuid;

use crate::features::stream::filter::Filter;
use crate::features::stream::frame::{mark, resync};

/// See the module.
pub struct Batch {
    /// Everything up to this revision is in it, or was in the ones before.
    pub revision: i64,
    segments: Vec<Segment>,
    mark: Bytes,
    /// All segments in order of revision; made when somebody wants more than one label.
    merged: OnceLock<Bytes>,
    /// Listeners that have taken it, and how many of them are most.
    taken: AtomicUsize,
    most: AtomicUsize,
}

/// What happened to one label.
pub struct Segment {
    label: String,
    what: What,
}

enum What {
    /// Frames, and behind them the mark.
    Frames(Vec<Frame>, Bytes),
    /// Too much: fetch the bundle.
    TooMuch,
}

/// What happened to one prompt under one label.
pub struct Frame {
    /// The prompt.
    pub prompt: Uuid,
    /// Its slug and those it had before.
    pub names: Vec<Box<str>>,
    /// Its tags.
    pub tags: Vec<Box<str>>,
    /// The last revision that changed it.
    pub revision: i64,
    /// For those who asked for tags that it has no more.
    pub untagged: Option<Bytes>,
    /// Where it stands in the segment's bytes.
    pub range: Range<usize>,
}

impl Segment {
    /// Frames in order of revision, and their text.
    pub fn frames(label: String, frames: Vec<Frame>, mut text: Vec<u8>, revision: i64) -> Segment {
        text.extend_from_slice(&mark(revision));
        Segment { label, what: What::Frames(frames, text.into()) }
    }

    /// More than is worth sending to everybody.
    pub fn too_much(label: String) -> Segment {
        Segment { label, what: What::TooMuch }
    }

    /// Whether it is.
    pub fn is_too_much(&self) -> bool {
        matches!(self.what, What::TooMuch)
    }
}

impl Batch {
    /// A batch of what happened up to `revision`.
    pub fn new(revision: i64, segments: Vec<Segment>) -> Batch {
        let (taken, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Batch { revision, segments, mark: mark(revision), merged: OnceLock::new(), taken, most }
    }

    /// Whether listeners were told to fetch the bundle.
    pub fn is_too_much(&self) -> bool {
        self.segments.iter().any(Segment::is_too_much)
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        let of = |segment: &Segment| match &segment.what {
            What::Frames(frames, text) => text.len() * 2 + frames.len() * size_of::<Frame>(),
            What::TooMuch => 0,
        };
        size_of::<Batch>() + self.segments.iter().map(of).sum::<usize>()
    }

    /// It is about to be said to so many. The slowest tenth is not waited for.
    pub fn say_to(&self, listeners: usize) {
        let most = if listeners > 1 { listeners - (listeners / 10).max(1) } else { 0 };
        self.most.store(most, Ordering::Release);
    }

    /// One more listener has it; whether most do from now on.
    pub fn take(&self) -> bool {
        self.taken.fetch_add(1, Ordering::AcqRel) + 1 == self.most.load(Ordering::Acquire)
    }

    /// Whether most listeners have it.
    pub fn is_taken_by_most(&self) -> bool {
        self.taken.load(Ordering::Acquire) >= self.most.load(Ordering::Acquire)
    }

    /// What a listener gets of it.
    pub fn cut(&self, filter: &Filter) -> VecDeque<Bytes> {
        let mut wanted = self.segments.iter().filter(|segment| filter.has_label(&segment.label));
        let (first, second) = (wanted.next(), wanted.next());
        match (first, second) {
            (None, _) => [self.mark.clone()].into(),
            (Some(Segment { what: What::TooMuch, .. }), None) => [resync(self.revision)].into(),
            (Some(Segment { what: What::Frames(_, text), .. }), None) if filter.is_by_label() => {
                [text.clone()].into()
            }
            _ => self.cut_frames(filter),
        }
    }

    fn cut_frames(&self, filter: &Filter) -> VecDeque<Bytes> {
        let wanted = || self.segments.iter().filter(|segment| filter.has_label(&segment.label));
        if wanted().any(Segment::is_too_much) {
            return [resync(self.revision)].into();
        }
        if filter.is_by_label() && wanted().count() == self.segments.len() {
            return [self.merged.get_or_init(|| self.merge()).clone()].into();
        }
        let mut cut: Vec<(i64, Bytes)> = Vec::new();
        for (frame, text) in wanted().flat_map(Segment::pieces) {
            if !filter.has_prompt(frame.prompt, frame.names.iter().map(|name| &**name)) {
                continue;
            }
            if filter.has_tag(frame.tags.iter().map(|tag| &**tag)) {
                cut.push((frame.revision, text));
            } else if let Some(gone) = &frame.untagged {
                cut.push((frame.revision, gone.clone()));
            }
        }
        cut.sort_by_key(|(revision, _)| *revision);
        cut.into_iter().map(|(_, text)| text).chain([self.mark.clone()]).collect()
    }

    fn merge(&self) -> Bytes {
        let mut pieces: Vec<(i64, Bytes)> = self
            .segments
            .iter()
            .flat_map(Segment::pieces)
            .map(|(frame, text)| (frame.revision, text))
            .collect();
        pieces.sort_by_key(|(revision, _)| *revision);
        let mut merged = Vec::with_capacity(pieces.iter().map(|(_, text)| text.len()).sum::<usize>() + 64);
        for (_, text) in pieces {
            merged.extend_from_slice(&text);
        }
        merged.extend_from_slice(&self.mark);
        merged.into()
    }
}

impl Segment {
    fn pieces(&self) -> impl Iterator<Item = (&Frame, Bytes)> {
        let (frames, text): (&[Frame], _) = match &self.what {
            What::Frames(frames, text) => (frames, text.clone()),
            What::TooMuch => (&[], Bytes::new()),
        };
        frames.iter().map(move |frame| (frame, text.slice(frame.range.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(label: &str, frames: &[(u128, &str, &str, i64)]) -> Segment {
        let mut text = Vec::new();
        let frames = frames.iter().map(|(id, slug, tag, revision)| {
            let start = text.len();
            text.extend_from_slice(format!("{slug}@{label};").as_bytes());
            Frame {
                prompt: Uuid::from_u128(*id),
                names: vec![(*slug).into()],
                tags: vec![(*tag).into()],
                revision: *revision,
                untagged: Some(Bytes::from(format!("no {slug};"))),
                range: start..text.len(),
            }
        });
        let frames = frames.collect();
        Segment::frames(label.to_owned(), frames, text, 9)
    }

    fn cut(batch: &Batch, filter: Filter) -> String {
        let text: Vec<u8> = batch.cut(&filter).iter().flatten().copied().collect();
        String::from_utf8(text).unwrap().split("event: mark").next().unwrap().to_owned()
    }

    fn batch() -> Batch {
        let production = segment("production", &[(1, "a", "x", 3), (2, "b", "y", 6)]);
        let staging = segment("staging", &[(1, "a", "x", 5)]);
        Batch::new(9, vec![production, staging])
    }

    #[test]
    fn everybody_gets_what_they_asked_for_in_order_of_revision() {
        let batch = batch();
        assert_eq!(cut(&batch, Filter::default()), "a@production;a@staging;b@production;");
        let label = |label: &str| Filter { label: Some(label.to_owned()), ..Filter::default() };
        assert_eq!(cut(&batch, label("production")), "a@production;b@production;");
        assert_eq!(cut(&batch, label("canary")), "");
        let prompts = Some((["b".to_owned()].into(), [].into()));
        assert_eq!(cut(&batch, Filter { prompts, ..Filter::default() }), "b@production;");
        let prompts = Some(([].into(), [Uuid::from_u128(1)].into()));
        assert_eq!(cut(&batch, Filter { prompts, ..label("staging") }), "a@staging;");
        let tags = Some(["y".to_owned()].into());
        assert_eq!(cut(&batch, Filter { tags, ..Filter::default() }), "no a;no a;b@production;");
        let allowed = Some(vec!["staging".to_owned()]);
        assert_eq!(cut(&batch, Filter { allowed, ..Filter::default() }), "a@staging;");
    }

    #[test]
    fn too_much_of_one_label_concerns_those_who_listen_to_it() {
        let batch =
            Batch::new(9, vec![segment("staging", &[(1, "a", "x", 5)]), Segment::too_much("latest".into())]);
        let all = batch.cut(&Filter::default());
        assert_eq!(all, [resync(9)]);
        let staging = Filter { label: Some("staging".into()), ..Filter::default() };
        assert_eq!(cut(&batch, staging), "a@staging;");
    }
}
