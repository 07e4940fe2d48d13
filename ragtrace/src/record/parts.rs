//! The parts of a record that it does not share with the others of its chunk.

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

/// The parts of a record that it does not share. Each run of a stage makes two or three of them, so
/// the type is kept small: 96 bytes.
#[derive(Clone, Debug)]
pub(crate) struct RecordParts {
    /// `None` if the record is not of a stage of this process; `extras` then has its subject.
    pub(crate) stage: Option<&'static StageDescriptor>,
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) timestamp: Timestamp,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    /// The duration in nanoseconds, as `busy`.
    pub(crate) duration: OptionalU64,
    pub(crate) busy: OptionalU64,
    pub(crate) count: OptionalU64,
    pub(crate) fields: FieldRanges,
    /// The index in the chunk's list of requests, as `thread` is in that of threads, if there is
    /// one.
    pub(crate) request: ChunkIndex,
    pub(crate) thread: ChunkIndex,
    /// The estimated size of the canonical JSON in bytes, as `memory` is that of the record in
    /// memory.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) flags: RecordFlags,
}

const _: () = assert!(size_of::<RecordParts>() <= 96);

/// The parts that only some records have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// `None` if the id follows from the record's index.
    pub(crate) id: Option<Uuid>,
    pub(crate) subject: OwnedSubject,
    /// The error that the stage failed with, and a backtrace.
    pub(crate) failure: Option<(ErrorInfo, Option<String>)>,
    /// The items that the stage used, as `generated` are those that it made or found.
    pub(crate) used: Vec<RecordItem>,
    pub(crate) generated: Vec<RecordItem>,
    /// The runs from the local root down to this one, for sinks that need them.
    pub(crate) path: Option<Arc<[PathStep]>>,
    pub(crate) score: Option<Box<RecordScore>>,
}

/// Properties of a record, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordFlags(u8);

impl RecordFlags {
    /// The record of a stage that may leave the process as it is.
    pub(crate) const CLEAN: Self = Self(1);
    /// The stage has no parent in this process.
    pub(crate) const LOCAL_ROOT: Self = Self(2);
    /// The fields are in the encoding that the stage wrote; otherwise they are in the chunk's
    /// `fields`.
    pub(crate) const ENCODED: Self = Self(4);

    #[inline]
    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// Returns the flags with `flag` added if `is_set`.
    #[inline]
    pub(crate) fn with(self, flag: Self, is_set: bool) -> Self {
        Self(self.0 | if is_set { flag.0 } else { 0 })
    }

    pub(crate) fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }
}

/// An optional number in 64 bits, in which the largest number stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OptionalU64(u64);

impl OptionalU64 {
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// Returns `number`, or the next smaller one if it is the largest.
    #[inline]
    pub(crate) fn some(number: u64) -> Self {
        Self(number.min(u64::MAX - 1))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<u64> {
        (self != Self::NONE).then_some(self.0)
    }

    /// Returns the number as a duration in nanoseconds.
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

/// An optional index in one of the chunk's lists.
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
    /// The subject of a parsed record, or of one that no stage made.
    Owned(&'a OwnedSubject),
}

/// The subject of a record that is not of a stage of this process.
#[derive(Clone, Debug)]
pub(crate) struct OwnedSubject {
    pub(crate) logger: Cow<'static, str>,
    /// `None` for the record of a stage, whose message follows from the stage and the event.
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
    /// Creates the parts of a record of `stage`, or of no stage, with nothing else set.
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

    /// Returns the error that the stage failed with, and a backtrace.
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

    /// The memory of a record without fields and texts, with a request of its own, because each
    /// record of a chunk may have another one. It is multiplied by one and a half, because vectors
    /// grow by doubling.
    #[expect(clippy::cast_possible_truncation, reason = "some hundred bytes")]
    pub(super) const MEMORY: u32 =
        (size_of::<Self>() * 3 / 2 + Self::HANDLE_MEMORY + size_of::<Request>() + 2 * ALLOCATION) as u32;

    /// Estimates the sizes of the record again.
    pub(super) fn estimate(&mut self, fields: &[NamedValue]) {
        let sizes = self.sizes(fields);
        (self.size, self.memory) = (sizes.json_size(0), Self::MEMORY.saturating_add(sizes.memory()));
    }

    /// Estimates the size of the canonical JSON in bytes.
    pub(super) fn json_size(&self, fields: &[NamedValue]) -> usize {
        self.sizes(fields).json_size(0) as usize
    }

    /// Returns the texts other than the fields.
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

    /// Returns the size of the parts that not all records have.
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

    /// Adds the size of the texts other than the fields.
    pub(super) fn add_texts(&self, sizes: &mut FieldSizes) {
        self.texts().for_each(|text| sizes.add_text(text.len()));
        let Some(extras) = self.extras.as_deref() else { return };
        let items = extras.used.iter().chain(&extras.generated);
        items.for_each(|item| sizes.add_text(item.json_size()));
        sizes.add_path(extras.path.as_deref().unwrap_or_default().len());
    }
}
