//! The positions and sizes of a record's fields.

use std::borrow::Cow;
use std::ops::Range;

use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};
use ragtrace_core::{StageDescriptor, Value};

use super::path::PathStep;

/// A field: a name and a value.
pub(crate) type NamedValue = (Cow<'static, str>, Value);

/// The positions of a record's fields: its context, and its metrics, which may be in another place.
/// For encoded fields, positions are in 64-bit words, and a record has at most 65,535 of them for
/// either.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldRanges {
    context_start: u32,
    metrics_start: u32,
    context: u16,
    metrics: u16,
}

/// The range of an encoding in a chunk, in 64-bit words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EncodedRange {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl FieldRanges {
    /// Creates the ranges of encoded fields, which are not longer than the limit of a record.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    pub(super) fn of_encoded(context: EncodedRange, metrics: EncodedRange) -> Self {
        let (context_start, metrics_start) = (context.start, metrics.start);
        Self { context_start, metrics_start, context: context.length as u16, metrics: metrics.length as u16 }
    }

    #[inline]
    pub(super) fn new(context: Range<usize>, metrics: Range<usize>) -> Self {
        let length = |range: &Range<usize>| u16::try_from(range.len()).unwrap_or(u16::MAX);
        let (context_start, metrics_start) = (saturating_u32(context.start), saturating_u32(metrics.start));
        Self { context_start, metrics_start, context: length(&context), metrics: length(&metrics) }
    }

    #[inline]
    pub(super) fn context(self) -> Range<usize> {
        let start = self.context_start as usize;
        start..start + usize::from(self.context)
    }

    #[inline]
    pub(super) fn metrics(self) -> Range<usize> {
        let start = self.metrics_start as usize;
        start..start + usize::from(self.metrics)
    }

    /// Returns the number of fields or words.
    #[inline]
    pub(super) fn len(self) -> usize {
        usize::from(self.context) + usize::from(self.metrics)
    }

    #[inline]
    pub(super) fn has_metrics(self) -> bool {
        self.metrics != 0
    }

    #[inline]
    pub(super) fn has_context(self) -> bool {
        self.context != 0
    }
}

/// Decodes fields with their names, appends them to `fields`, and returns their ranges.
pub(super) fn decode_named(
    stage: &'static StageDescriptor,
    context: &[u64],
    metrics: &[u64],
    fields: &mut Vec<NamedValue>,
) -> FieldRanges {
    let start = fields.len();
    fields.extend(named_fields(stage, context).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    let middle = fields.len();
    fields.extend(named_fields(stage, metrics).map(|(name, value)| (Cow::Borrowed(name), value.to_value())));
    FieldRanges::new(start..middle, middle..fields.len())
}

/// Returns the names and values of encoded fields.
#[inline]
pub(super) fn named_fields<'a>(
    stage: &'static StageDescriptor,
    encoded: &'a [u64],
) -> impl Iterator<Item = (&'static str, EncodedValue<'a>)> {
    EncodedFields(encoded).filter_map(move |field| Some((field_name(stage, field.name)?, field.value)))
}

/// Returns the name of a stage's field, or `None` if a record has a member of its own for it.
#[inline]
pub(crate) fn field_name(stage: &'static StageDescriptor, index: u16) -> Option<&'static str> {
    match stage.fields().get(usize::from(index)) {
        Some(field) => Some(field.name()),
        None => field_id::name(index),
    }
}

/// The size of a record's fields. A text counts as 4 GiB at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldSizes {
    /// The size in the canonical JSON, in bytes.
    json: u32,
    /// The size of the texts on the heap, in bytes.
    texts: u32,
    /// The number of fields.
    pub(super) fields: u32,
    /// Set if a text has to be redacted or cut.
    pub(super) is_unclean: bool,
}

impl FieldSizes {
    /// Measures a stage's fields. `is_clean` returns `true` for the name and text of a field that
    /// may leave the process as it is.
    #[inline]
    pub(crate) fn of(
        stage: &'static StageDescriptor,
        encoded: &[u64],
        is_clean: impl Fn(&'static str, &str) -> bool,
    ) -> Self {
        let mut sizes = Self::default();
        EncodedFields(encoded)
            .for_each(|field| sizes.add_raw(|| field_name(stage, field.name), field.value, &is_clean));
        sizes
    }

    /// Adds a field. The `name` is used only for texts.
    #[inline]
    pub(crate) fn add_raw(
        &mut self,
        name: impl FnOnce() -> Option<&'static str>,
        value: EncodedValue<'_>,
        is_clean: impl Fn(&'static str, &str) -> bool,
    ) {
        self.fields += 1;
        match value {
            EncodedValue::Text(text) => {
                self.add_text(text.length());
                self.is_unclean = self.is_unclean || !name().is_none_or(|name| is_clean(name, &text.as_str()));
            }
            // The parts of structured values are examined one by one later.
            EncodedValue::Json(json) => {
                self.add_text(json.length());
                self.is_unclean = true;
            }
            _ => {}
        }
    }

    pub(super) fn add(&mut self, name: &str, value: &Value) {
        self.fields += 1;
        self.json = self.json.saturating_add(saturating_u32(name.len()));
        if let Some(text) = value.as_str().or_else(|| value.as_json()) {
            self.add_text(text.len());
        }
    }

    pub(super) fn add_text(&mut self, bytes: usize) {
        self.json = self.json.saturating_add(saturating_u32(bytes));
        self.texts = self.texts.saturating_add(saturating_u32(bytes + ALLOCATION));
    }

    /// Adds a path with `steps` steps. The memory of a path is shared by the records of a run and
    /// its children, so this counts more than it takes.
    #[inline]
    pub(super) fn add_path(&mut self, steps: usize) {
        self.json = self.json.saturating_add(saturating_u32(steps * PATH_STEP));
        self.texts = self.texts.saturating_add(saturating_u32(steps * size_of::<PathStep>()));
    }

    pub(super) fn has_texts(&self) -> bool {
        self.texts != 0
    }

    /// Estimates the size of the canonical JSON of a record with these fields, in bytes. Names that
    /// were not added count as `name` bytes each.
    #[inline]
    pub(super) fn json_size(&self, name: u8) -> u32 {
        (REST + (NUMBER + u32::from(name)) * self.fields).saturating_add(self.json)
    }

    /// Estimates the memory of the fields in bytes.
    #[inline]
    pub(super) fn memory(&self) -> u32 {
        (FIELD_MEMORY * self.fields).saturating_add(self.texts)
    }
}

/// The overhead of the allocator for each allocation, in bytes.
pub(super) const ALLOCATION: usize = 16;
/// The size of a number in the canonical JSON without its name, or of a text without its content,
/// in bytes.
const NUMBER: u32 = 20;
/// The size of a stage's record in the canonical JSON without the texts that the application
/// supplies, in bytes.
const REST: u32 = 480;
/// The size of one step of a path in the canonical JSON, in bytes:
/// `["0123456789abcdef",1795335611123456],`.
const PATH_STEP: usize = 38;
/// The memory of a field without its text.
#[expect(clippy::cast_possible_truncation, reason = "some bytes")]
const FIELD_MEMORY: u32 = size_of::<NamedValue>() as u32 * 3 / 2;

pub(super) fn saturating_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
