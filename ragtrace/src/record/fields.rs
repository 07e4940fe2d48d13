//! A record's fields: where they are, and their size.

use std::borrow::Cow;
use std::ops::Range;

use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};
use ragtrace_core::{StageDescriptor, Value};

use super::path::PathStep;

/// A field: its name and its value.
pub(crate) type NamedValue = (Cow<'static, str>, Value);

/// Where a record's fields are: its context, and its metrics, which may lie elsewhere. Encoded
/// fields are counted in 64-bit words, and a record has no more than 65,535 of either.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldRanges {
    context_start: u32,
    metrics_start: u32,
    context: u16,
    metrics: u16,
}

/// Where an encoding was appended to a chunk, in 64-bit words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EncodedRange {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl FieldRanges {
    /// Makes the ranges of encoded fields, which are no longer than a record may have them.
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

    /// Returns how many there are.
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

/// Decodes fields with their names, adds them to `fields`, and returns where they are.
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

/// Returns encoded fields with their names.
#[inline]
pub(super) fn named_fields<'a>(
    stage: &'static StageDescriptor,
    encoded: &'a [u64],
) -> impl Iterator<Item = (&'static str, EncodedValue<'a>)> {
    EncodedFields(encoded).filter_map(move |field| Some((field_name(stage, field.name)?, field.value)))
}

/// Returns the name of a field that a stage wrote, unless a record has a member of its own for it.
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
    /// Bytes in its canonical JSON.
    json: u32,
    /// Bytes on the heap, for its texts.
    texts: u32,
    /// How many there are.
    pub(super) fields: u32,
    /// Whether one of the texts must not leave as it is.
    pub(super) is_unclean: bool,
}

impl FieldSizes {
    /// Measures fields that a stage wrote. `is_clean` tells, of a name and a text, whether that may
    /// leave as it is.
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

    /// Adds a field, whose `name` matters only to a text.
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
            // Its parts are looked at one by one.
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

    /// Adds a path of so many steps. Their memory is shared by the records of a run and those of
    /// its children, so it counts for more than it takes.
    #[inline]
    pub(super) fn add_path(&mut self, steps: usize) {
        self.json = self.json.saturating_add(saturating_u32(steps * PATH_STEP));
        self.texts = self.texts.saturating_add(saturating_u32(steps * size_of::<PathStep>()));
    }

    pub(super) fn has_texts(&self) -> bool {
        self.texts != 0
    }

    /// Returns about how many bytes the canonical JSON of a record with these fields takes. Names
    /// that were not added have up to `name` bytes.
    #[inline]
    pub(super) fn json_size(&self, name: u8) -> u32 {
        (REST + (NUMBER + u32::from(name)) * self.fields).saturating_add(self.json)
    }

    /// Returns about how many bytes of memory they take.
    #[inline]
    pub(super) fn memory(&self) -> u32 {
        (FIELD_MEMORY * self.fields).saturating_add(self.texts)
    }
}

/// The bytes that the allocator takes for each allocation besides.
pub(super) const ALLOCATION: usize = 16;
/// The bytes that the canonical JSON of a number takes without its name, or that of a text without
/// the text.
const NUMBER: u32 = 20;
/// The bytes that the canonical JSON of a stage's record takes without the texts that its user
/// gives.
const REST: u32 = 480;
/// The bytes that the canonical JSON of a step of a path takes:
/// `["0123456789abcdef",1795335611123456],`.
const PATH_STEP: usize = 38;
/// The memory of a field without its text.
#[expect(clippy::cast_possible_truncation, reason = "some bytes")]
const FIELD_MEMORY: u32 = size_of::<NamedValue>() as u32 * 3 / 2;

pub(super) fn saturating_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
