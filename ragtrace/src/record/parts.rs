//! What a record has for itself.

use std::borrow::Cow;
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event, Level, SpanId, StageDescriptor, StageKind, Timestamp};
use uuid::Uuid;

use super::Record;
use super::fields::{ALLOCATION, Fields, NamedValue, Sizes};

/// What a record has for itself. Two or three of them are made for each stage that runs, so it is kept small: 96 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// `None` for what is no stage's of this process: then `more` says what it is about.
    pub(crate) stage: Option<&'static StageDescriptor>,
    pub(crate) more: Option<Box<More>>,
    pub(crate) timestamp: Timestamp,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    /// In nanoseconds, as `busy` is.
    pub(crate) duration: Maybe,
    pub(crate) busy: Maybe,
    pub(crate) count: Maybe,
    pub(crate) fields: Fields,
    /// Its place among the chunk's requests and threads, if it has any.
    pub(crate) request: Place,
    pub(crate) thread: Place,
    /// Estimates in bytes: of the canonical JSON, and of the memory it takes.
    pub(crate) size: u32,
    pub(crate) memory: u32,
    pub(crate) level: Level,
    pub(crate) event: Event,
    pub(crate) marks: Marks,
}

const _: () = assert!(size_of::<Parts>() <= 96);

/// What only some records have.
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    /// `None` if it follows from the place of the record.
    pub(crate) id: Option<Uuid>,
    pub(crate) other: Other,
    pub(crate) failure: Option<(ErrorInfo, Option<String>)>,
}

/// What is true of a record, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// A stage's record that may leave as it is.
    pub(crate) const CLEAN: Self = Self(1);
    /// Its stage has no parent in this process.
    pub(crate) const LOCAL_ROOT: Self = Self(2);
    /// Its fields are in the chunk's words, and the record is a stage's. Else they are in the chunk's fields.
    pub(crate) const WORDS: Self = Self(4);

    #[inline]
    pub(crate) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    /// The same, with `mark` if `is_so`.
    #[inline]
    pub(crate) fn with(self, mark: Self, is_so: bool) -> Self {
        Self(self.0 | if is_so { mark.0 } else { 0 })
    }

    pub(crate) fn without(self, mark: Self) -> Self {
        Self(self.0 & !mark.0)
    }
}

/// A number in one word, if there is one: the largest that there is stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maybe(u64);

impl Maybe {
    pub(crate) const NONE: Self = Self(u64::MAX);

    /// `number`, or the next to it if it is the largest.
    #[inline]
    pub(crate) fn of(number: u64) -> Self {
        Self(number.min(u64::MAX - 1))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<u64> {
        (self != Self::NONE).then_some(self.0)
    }

    /// The duration of so many nanoseconds.
    pub(super) fn duration(self) -> Option<Duration> {
        self.get().map(Duration::from_nanos)
    }
}

impl From<Option<u64>> for Maybe {
    #[inline]
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::NONE, Self::of)
    }
}

impl From<Option<Duration>> for Maybe {
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::NONE, |duration| Self::of(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// A place in a list, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(super) u32);

impl Place {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0 as usize)
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    Stage(&'static StageDescriptor),
    /// What was read from its JSON, or is no stage's.
    Other(&'a Other),
}

#[derive(Clone, Debug)]
pub(crate) struct Other {
    pub(crate) logger: Cow<'static, str>,
    /// `None` for a stage's record, whose message follows from stage and event.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) stage: Option<Cow<'static, str>>,
    pub(crate) kind: Option<StageKind>,
    pub(crate) source: Option<(Cow<'static, str>, u32)>,
}

impl Other {
    const NOTHING: Self = Self { logger: Cow::Borrowed(""), message: None, stage: None, kind: None, source: None };
}

impl Default for Other {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Parts {
    /// A record of `stage`, or of nothing yet, without anything else.
    #[inline]
    pub(crate) fn new(
        timestamp: Timestamp,
        event: Event,
        level: Level,
        stage: Option<&'static StageDescriptor>,
    ) -> Self {
        Self {
            stage,
            more: None,
            timestamp,
            span_id: None,
            parent_span_id: None,
            duration: Maybe::NONE,
            busy: Maybe::NONE,
            count: Maybe::NONE,
            fields: Fields::default(),
            request: Place::NONE,
            thread: Place::NONE,
            size: 0,
            memory: 0,
            level,
            event,
            marks: Marks::default(),
        }
    }

    /// A record with the id `id` that is about `other`, without anything else.
    pub(crate) fn of_other(id: Uuid, timestamp: Timestamp, event: Event, level: Level, other: Other) -> Self {
        let more = More { id: Some(id), other, failure: None };
        Self { more: Some(Box::new(more)), ..Self::new(timestamp, event, level, None) }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        static NOTHING: Other = Other::NOTHING;
        match (self.stage, &self.more) {
            (Some(stage), _) => Subject::Stage(stage),
            (None, Some(more)) => Subject::Other(&more.other),
            (None, None) => Subject::Other(&NOTHING),
        }
    }

    /// The error that failed the stage, and a backtrace.
    #[inline]
    pub(super) fn failure(&self) -> Option<&(ErrorInfo, Option<String>)> {
        self.more.as_deref()?.failure.as_ref()
    }

    #[inline]
    pub(crate) fn failure_mut(&mut self) -> Option<&mut (ErrorInfo, Option<String>)> {
        self.more.as_deref_mut()?.failure.as_mut()
    }
}

impl Parts {
    /// The memory of a record without fields and texts, with a request of its own, since a chunk may have one a record.
    /// Half as much again, because vectors grow by doubling.
    #[expect(clippy::cast_possible_truncation, reason = "some hundred bytes")]
    pub(super) const MEMORY: u32 =
        (size_of::<Self>() * 3 / 2 + size_of::<Record>() + size_of::<Request>() + 2 * ALLOCATION) as u32;

    pub(super) fn estimate(&mut self, fields: &[NamedValue]) {
        let sizes = self.sizes(fields);
        (self.size, self.memory) = (sizes.size(0), Self::MEMORY.saturating_add(sizes.memory()));
    }

    /// About how many bytes the canonical JSON takes.
    pub(super) fn size_of(&self, fields: &[NamedValue]) -> usize {
        self.sizes(fields).size(0) as usize
    }

    /// The texts besides the fields.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let message = match self.subject() {
            Subject::Stage(_) => None,
            Subject::Other(other) => other.message.as_deref(),
        };
        let failure = self.failure().into_iter().flat_map(|(error, stack_trace)| {
            let long = error.chain().iter().chain(stack_trace).map(String::as_str);
            std::iter::once(error.message()).chain(long)
        });
        message.into_iter().chain(failure)
    }

    /// What it takes beyond what all records do.
    fn sizes(&self, fields: &[NamedValue]) -> Sizes {
        let mut sizes = Sizes::default();
        for range in [self.fields.context(), self.fields.metrics()] {
            for (name, value) in fields.get(range).unwrap_or_default() {
                sizes.add(name, value);
            }
        }
        self.add_texts(&mut sizes);
        sizes
    }

    /// Adds what its texts take besides the fields.
    pub(super) fn add_texts(&self, sizes: &mut Sizes) {
        self.texts().for_each(|text| sizes.add_text(text.len()));
    }
}
