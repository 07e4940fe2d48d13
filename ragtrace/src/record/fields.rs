//! A record's fields: where they are, and what they take.

use std::borrow::Cow;
use std::ops::Range;

use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};
use ragtrace_core::{StageDescriptor, Value};

/// A field: its name and its value.
pub(crate) type NamedValue = (Cow<'static, str>, Value);

/// Where a record's fields are: its context, and its metrics, which may lie elsewhere. They are counted in words where they
/// are words, and a record has no more than 65,535 of either.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    context_at: u32,
    metrics_at: u32,
    context: u16,
    metrics: u16,
}

/// Words that were laid down: where, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Laid {
    pub(super) at: u32,
    pub(super) length: u32,
}

impl Fields {
    /// Of words. There are no more of either than a record may have.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    pub(super) fn of_words(context: Laid, metrics: Laid) -> Self {
        let (context_at, metrics_at) = (context.at, metrics.at);
        Self { context_at, metrics_at, context: context.length as u16, metrics: metrics.length as u16 }
    }

    /// So many of context from `context_at` on, and of metrics from `metrics_at` on.
    #[inline]
    pub(super) fn new(context_at: usize, context: usize, metrics_at: usize, metrics: usize) -> Self {
        let cut = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let (context_at, metrics_at) = (cut_u32(context_at), cut_u32(metrics_at));
        Self { context_at, metrics_at, context: cut(context), metrics: cut(metrics) }
    }

    #[inline]
    pub(super) fn context(self) -> Range<usize> {
        let start = self.context_at as usize;
        start..start + usize::from(self.context)
    }

    #[inline]
    pub(super) fn metrics(self) -> Range<usize> {
        let start = self.metrics_at as usize;
        start..start + usize::from(self.metrics)
    }

    /// How many there are.
    #[inline]
    pub(super) fn len(self) -> usize {
        usize::from(self.context) + usize::from(self.metrics)
    }

    /// Whether there are metrics.
    #[inline]
    pub(super) fn has_metrics(self) -> bool {
        self.metrics != 0
    }

    /// Whether there is context.
    #[inline]
    pub(super) fn has_context(self) -> bool {
        self.context != 0
    }
}

/// Adds the fields that words say to `fields`, and says where they are.
pub(super) fn named(
    stage: &'static StageDescriptor,
    context: &[u64],
    metrics: &[u64],
    fields: &mut Vec<NamedValue>,
) -> Fields {
    let start = fields.len();
    fields.extend(named_words(stage, context).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    let middle = fields.len();
    fields.extend(named_words(stage, metrics).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    Fields::new(start, middle - start, middle, fields.len() - middle)
}

/// The fields that words say, with their names.
#[inline]
pub(super) fn named_words<'a>(
    stage: &'static StageDescriptor,
    words: &'a [u64],
) -> impl Iterator<Item = (&'static str, EncodedValue<'a>)> {
    EncodedFields(words).filter_map(move |field| Some((field_name(stage, field.name)?, field.value)))
}

/// The name of a field that a stage wrote, unless it has a place of its own in a record.
#[inline]
pub(crate) fn field_name(stage: &'static StageDescriptor, index: u16) -> Option<&'static str> {
    match index {
        field_id::FIRST_ITEM => Some("first_item_ms"),
        index => stage.fields().get(usize::from(index)).map(crate::FieldDescriptor::name),
    }
}

/// What the fields of a record take. A text counts as 4 GiB at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    /// In its canonical JSON.
    json: u32,
    /// Of memory on the heap, for its texts.
    texts: u32,
    /// How many there are.
    pub(super) fields: u32,
    /// Whether one of the texts must not leave as it is.
    pub(super) changes: bool,
}

impl Sizes {
    /// What fields take that a stage wrote; `stays` says of a name and a text whether that may leave as it is.
    #[inline]
    pub(crate) fn of(
        stage: &'static StageDescriptor,
        words: &[u64],
        stays: impl Fn(&'static str, &str) -> bool,
    ) -> Self {
        let mut sizes = Self::default();
        EncodedFields(words).for_each(|field| sizes.add_raw(|| field_name(stage, field.name), field.value, &stays));
        sizes
    }

    /// Adds a field, whose `name` matters only to a text.
    #[inline]
    pub(crate) fn add_raw(
        &mut self,
        name: impl FnOnce() -> Option<&'static str>,
        value: EncodedValue<'_>,
        stays: impl Fn(&'static str, &str) -> bool,
    ) {
        self.fields += 1;
        if let EncodedValue::Text(text) = value {
            self.add_text(text.length());
            self.changes = self.changes || !name().is_none_or(|name| stays(name, &text.as_str()));
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &Value) {
        self.fields += 1;
        self.json = self.json.saturating_add(cut_u32(name.len()));
        if let Some(text) = value.as_str() {
            self.add_text(text.len());
        }
    }

    pub(super) fn add_text(&mut self, bytes: usize) {
        self.json = self.json.saturating_add(cut_u32(bytes));
        self.texts = self.texts.saturating_add(cut_u32(bytes + ALLOCATION));
    }

    /// Whether there are texts.
    pub(super) fn has_texts(&self) -> bool {
        self.texts != 0
    }

    /// About how many bytes the canonical JSON of a record with these fields takes. Names that were not added have up to
    /// `name` bytes.
    #[inline]
    pub(super) fn size(&self, name: u8) -> u32 {
        (REST + (NUMBER + u32::from(name)) * self.fields).saturating_add(self.json)
    }

    /// About how many bytes of memory they take.
    #[inline]
    pub(super) fn memory(&self) -> u32 {
        (FIELD_MEMORY * self.fields).saturating_add(self.texts)
    }
}

/// What the allocator takes for each allocation besides.
pub(super) const ALLOCATION: usize = 16;
/// What the canonical JSON of a number takes without its name, or that of a text without the text.
const NUMBER: u32 = 20;
/// What the canonical JSON of a stage's record takes without the texts that its user gives.
const REST: u32 = 480;
/// The memory of a field without its text.
#[expect(clippy::cast_possible_truncation, reason = "some bytes")]
const FIELD_MEMORY: u32 = size_of::<NamedValue>() as u32 * 3 / 2;

pub(super) fn cut_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
