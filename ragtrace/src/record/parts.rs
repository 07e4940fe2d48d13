//! The parts that a record has for itself, and does not share with the others of its chunk.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event, Level, SpanId, StageDescriptor, StageKind, Timestamp};
use uuid::Uuid;

use super::fields::{ALLOCATION, FieldRanges, FieldSizes, NamedValue};
use super::item::RecordItem;
use super::path::PathStep;
use super::score::RecordScore;

/// The parts that a record has for itself. Two or three of them are made for each stage that runs,
/// so it is kept small: 96 bytes.
#[derive(Clone, Debug)]
pub(crate) struct RecordParts {
    /// `None` for what is no stage's of this process: then `extras` says what it is about.
    pub(crate) stage: Option<&'static StageDescriptor>,
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) timestamp: Timestamp,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    /// In nanoseconds, as `busy` is.
    pub(crate) duration: OptionalU64,
    pub(crate) busy: OptionalU64,
    pub(crate) count: OptionalU64,
    pub(crate) fields: FieldRanges,
    /// Its index among the chunk's requests and threads, if it has any.
    pub(crate) request: ChunkIndex,
    pub(crate) thread: ChunkIndex,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) flags: RecordFlags,
}

const _: () = assert!(size_of::<RecordParts>() <= 96);

/// Parts that only some records have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// `None` if it follows from the record's index.
    pub(crate) id: Option<Uuid>,
    pub(crate) subject: OwnedSubject,
    /// The error that failed the stage, and a backtrace.
    pub(crate) failure: Option<(ErrorInfo, Option<String>)>,
    /// The items that the stage worked on, and those that it made.
    pub(crate) used: Vec<RecordItem>,
    pub(crate) generated: Vec<RecordItem>,
    /// The runs from the local root down to this one, for sinks that need them.
    pub(crate) path: Option<Arc<[PathStep]>>,
    pub(crate) score: Option<Box<RecordScore>>,
}

/// Facts about a record, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordFlags(u8);

impl RecordFlags {
    /// A stage's record that may leave as it is.
    pub(crate) const CLEAN: Self = Self(1);
    /// Its stage has no parent in this process.
    pub(crate) const LOCAL_ROOT: Self = Self(2);
    /// Its fields are encoded, as its stage wrote them. Else they are in the chunk's `fields`.
    pub(crate) const ENCODED: Self = Self(4);

    #[inline]
    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// Sets `flag` if `is_set`.
    #[inline]
    pub(crate) fn with(self, flag: Self, is_set: bool) -> Self {
        Self(self.0 | if is_set { flag.0 } else { 0 })
    }

    pub(crate) fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }
}

/// An optional number in 64 bits: the largest that there is stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionalU64(u64);

impl OptionalU64 {
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// Makes one of `number`, or of the next to it if it is the largest.
    #[inline]
    pub(crate) fn some(number: u64) -> Self {
        Self(number.min(u64::MAX - 1))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<u64> {
        (self != Self::NONE).then_some(self.0)
    }

    /// Returns the duration of so many nanoseconds.
    pub(super) fn duration(self) -> Option<Duration> {
        self.get().map(Duration::from_nanos)
    }
}

impl From<Option<u64>> for OptionalU64 {
    #[inline]
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::NONE, Self::some)
    }
}

impl From<Option<Duration>> for OptionalU64 {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, |duration| Self::some(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// An index in one of the chunk's lists, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkIndex(pub(super) u32);

impl ChunkIndex {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0 as usize)
    }
}

/// The subject of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// A stage of this process.
    Stage(&'static StageDescriptor),
    /// A subject that was read from JSON, or is no stage.
    Owned(&'a OwnedSubject),
}

/// The subject of a record that is no stage's of this process.
#[derive(Clone, Debug)]
pub(crate) struct OwnedSubject {
    pub(crate) logger: Cow<'static, str>,
    /// `None` for a stage's record, whose message follows from stage and event.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) stage: Option<Cow<'static, str>>,
    pub(crate) kind: Option<StageKind>,
    pub(crate) source: Option<(Cow<'static, str>, u32)>,
}

impl OwnedSubject {
    const NOTHING: Self = Self { logger: Cow::Borrowed(""), message: None, stage: None, kind: None, source: None };
}

impl Default for OwnedSubject {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl RecordParts {
    /// Makes a record of `stage`, or of nothing yet, without anything else.
    #[inline]
    pub(crate) fn new(
        timestamp: Timestamp,
        event: Event,
        level: Level,
        stage: Option<&'static StageDescriptor>,
    ) -> Self {
        Self {
            stage,
            extras: None,
            timestamp,
            span_id: None,
            parent_span_id: None,
            duration: OptionalU64::NONE,
            busy: OptionalU64::NONE,
            count: OptionalU64::NONE,
            fields: FieldRanges::default(),
            request: ChunkIndex::NONE,
            thread: ChunkIndex::NONE,
            size: 0,
            memory: 0,
            level,
            event,
            flags: RecordFlags::default(),
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        static NOTHING: OwnedSubject = OwnedSubject::NOTHING;
        match (self.stage, &self.extras) {
            (Some(stage), _) => Subject::Stage(stage),
            (None, Some(extras)) => Subject::Owned(&extras.subject),
            (None, None) => Subject::Owned(&NOTHING),
        }
    }

    /// Returns the error that failed the stage, and a backtrace.
    #[inline]
    pub(super) fn failure(&self) -> Option<&(ErrorInfo, Option<String>)> {
        self.extras.as_deref()?.failure.as_ref()
    }

    #[inline]
    pub(super) fn failure_mut(&mut self) -> Option<&mut (ErrorInfo, Option<String>)> {
        self.extras.as_deref_mut()?.failure.as_mut()
    }
}

impl RecordParts {
    /// The memory of a [`Record`](super::Record), which is a reference to its chunk and an index.
    pub(super) const HANDLE_MEMORY: usize = size_of::<(*const (), u32)>();

    /// The memory of a record without fields and texts, with a request of its own, since a chunk
    /// may have one a record. Half as much again, because vectors grow by doubling.
    #[expect(clippy::cast_possible_truncation, reason = "some hundred bytes")]
    pub(super) const MEMORY: u32 =
        (size_of::<Self>() * 3 / 2 + Self::HANDLE_MEMORY + size_of::<Request>() + 2 * ALLOCATION) as u32;

    /// Estimates the record's sizes anew.
    pub(super) fn estimate(&mut self, fields: &[NamedValue]) {
        let sizes = self.sizes(fields);
        (self.size, self.memory) = (sizes.json_size(0), Self::MEMORY.saturating_add(sizes.memory()));
    }

    /// Returns about how many bytes the canonical JSON takes.
    pub(super) fn json_size(&self, fields: &[NamedValue]) -> usize {
        self.sizes(fields).json_size(0) as usize
    }

    /// Returns the texts besides the fields.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let message = match self.subject() {
            Subject::Stage(_) => None,
            Subject::Owned(subject) => subject.message.as_deref(),
        };
        let failure = self.failure().into_iter().flat_map(|(error, stack_trace)| {
            let long = error.chain().iter().chain(stack_trace).map(String::as_str);
            std::iter::once(error.message()).chain(long)
        });
        let score = self.extras.as_deref().and_then(|extras| extras.score.as_deref());
        let of_score = score.into_iter().flat_map(|score| score.value().as_str().into_iter().chain(score.comment()));
        message.into_iter().chain(failure).chain(of_score)
    }

    /// Returns the size of what it has beyond what all records have.
    fn sizes(&self, fields: &[NamedValue]) -> FieldSizes {
        let mut sizes = FieldSizes::default();
        for range in [self.fields.context(), self.fields.metrics()] {
            for (name, value) in fields.get(range).unwrap_or_default() {
                sizes.add(name, value);
            }
        }
        self.add_texts(&mut sizes);
        sizes
    }

    /// Adds the size of its texts besides the fields.
    pub(super) fn add_texts(&self, sizes: &mut FieldSizes) {
        self.texts().for_each(|text| sizes.add_text(text.len()));
        let Some(extras) = self.extras.as_deref() else { return };
        let items = extras.used.iter().chain(&extras.generated);
        items.for_each(|item| sizes.add_text(item.json_size()));
        sizes.add_path(extras.path.as_deref().unwrap_or_default().len());
    }
}
