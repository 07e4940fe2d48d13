//! The fields of a run's end, and the count, cost and failure among them.

#![expect(
    clippy::inline_always,
    reason = "inlining keeps the values that make up a record in registers instead of memory"
)]

use std::borrow::Cow;

use ragtrace_core::value::encoding::{EncodedFields, field_id};
use ragtrace_core::{FieldSource, StageDescriptor, Value};

use crate::record::{ChunkBuilder, Extras, FieldSizes, RESPONSE_SENT, field_name};

/// The encoded fields of an end, and those of its start.
#[derive(Clone, Copy)]
pub(super) struct EndFields<'a> {
    pub(super) stage: &'static StageDescriptor,
    pub(super) start: &'a [u64],
    pub(super) end: &'a [u64],
}

impl EndFields<'_> {
    /// Returns `true` if a field of the context among `texts` has the name of a start field, which
    /// it then replaces.
    #[cold]
    fn repeats_start(&self, texts: &[u64]) -> bool {
        let Self { stage, start, .. } = *self;
        let of_start = |name| EncodedFields(start).any(|field| field_name(stage, field.name) == Some(name));
        EncodedFields(texts).any(|field| field_name(stage, field.name).is_some_and(of_start))
    }
}

/// The facts about a run that its end contains besides fields.
#[derive(Default)]
pub(super) struct EndSummary {
    pub(super) count: Option<u64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) failure: Failure,
}

/// The error and the backtrace of a failed run's end.
type Failure = Option<Box<Extras>>;

impl EndSummary {
    /// Appends the numbers of an end to the chunk, and returns its summary and its other fields,
    /// which belong to the context. Returns `None` if the fields have to be distinguished by their
    /// names.
    #[inline(always)]
    pub(super) fn append_encoded(
        chunk: &mut ChunkBuilder,
        fields: EndFields<'_>,
        sizes: &mut FieldSizes,
        is_clean: impl Fn(&'static str, &str) -> bool,
    ) -> Option<(Self, Vec<u64>)> {
        let (mut count, mut cost_usd, mut failure, mut texts) = (None, None, None, Vec::new());
        for field in EncodedFields(fields.end) {
            match (field.name, field_name(fields.stage, field.name)) {
                (field_id::COUNT, _) | (_, Some("count")) => count = field.value.as_u64(),
                (
                    field_id::ERROR_TYPE | field_id::ERROR_MESSAGE | field_id::ERROR_SOURCE | field_id::STACK_TRACE,
                    _,
                ) => {
                    add_to_failure(&mut failure, field.name, field.value.to_value());
                }
                (field_id::ANSWERED, _) => add_answer(&mut failure),
                (_, None) => {}
                (_, Some(name)) => {
                    sizes.add_raw(|| Some(name), field.value, &is_clean);
                    if field.value.is_number() && !belongs_to_context(fields.stage, field.name) {
                        if name == "cost_usd" {
                            cost_usd = field.value.as_f64();
                        }
                        chunk.append_encoded(field.words);
                    } else {
                        if texts.is_empty() {
                            texts.reserve(fields.end.len());
                        }
                        texts.extend_from_slice(field.words);
                    }
                }
            }
        }
        let summary = Self { count, cost_usd, failure };
        (texts.is_empty() || !fields.repeats_start(&texts)).then_some((summary, texts))
    }

    /// Adds a value to the summary, or to the current record.
    pub(super) fn add_decoded(
        &mut self,
        record: &mut ChunkBuilder,
        stage: &'static StageDescriptor,
        index: u16,
        value: Value,
    ) {
        let name = match index {
            field_id::COUNT => return self.count = value.as_u64(),
            field_id::ERROR_TYPE | field_id::ERROR_MESSAGE | field_id::ERROR_SOURCE | field_id::STACK_TRACE => {
                return add_to_failure(&mut self.failure, index, value);
            }
            field_id::ANSWERED => return add_answer(&mut self.failure),
            index => match field_name(stage, index) {
                Some(name) => name,
                None => return,
            },
        };
        match name {
            "count" => return self.count = value.as_u64(),
            "cost_usd" => self.cost_usd = value.as_f64(),
            _ => {}
        }
        let is_number = value.is_number() && !belongs_to_context(stage, index);
        // If a field is recorded more than once, as with `record!`, the last value counts.
        if let Some(earlier) = record.earlier_value(name, is_number) {
            *earlier = value;
        } else if is_number {
            record.add_metric(Cow::Borrowed(name), value);
        } else {
            record.add_context(Cow::Borrowed(name), value);
        }
    }
}

/// Returns `true` if a number belongs to the context, which is the case for start fields, even if
/// the end contains them.
fn belongs_to_context(stage: &'static StageDescriptor, index: u16) -> bool {
    stage.fields().get(usize::from(index)).is_some_and(|field| field.source() == FieldSource::Start)
}

/// Gives the record of a request that failed with a response the message that says that the
/// response was sent.
#[cold]
fn add_answer(failure: &mut Failure) {
    failure.get_or_insert_default().subject.message = Some(Cow::Borrowed(RESPONSE_SENT));
}

#[inline(never)]
fn add_to_failure(failure: &mut Failure, index: u16, value: Value) {
    let Value::Text(text) = value else { return };
    let (error, stack_trace) = failure.get_or_insert_default().failure.get_or_insert_default();
    let (type_name, message, chain) = error.parts_mut();
    match index {
        field_id::ERROR_TYPE => *type_name = text,
        field_id::ERROR_MESSAGE => *message = text.into_owned(),
        field_id::ERROR_SOURCE => chain.push(text.into_owned()),
        _ => *stack_trace = Some(text.into_owned()),
    }
}
