//! The reserved names: fields whose meaning every backend knows.

use std::borrow::Cow;

use ragtrace::{Record, Value};

use super::messages::{self, Message};

/// The fields of a record with reserved names, wherever the stage declares them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Content<'a> {
    pub(crate) input: Option<&'a Value>,
    pub(crate) output: Option<&'a Value>,
    pub(crate) query: Option<&'a Value>,
    pub(crate) model: Option<&'a str>,
    pub(crate) provider: Option<&'a str>,
    pub(crate) prompt_name: Option<&'a str>,
    pub(crate) prompt_version: Option<&'a Value>,
    pub(crate) usage: Usage,
    pub(crate) dimensions: Option<u64>,
    pub(crate) top_k: Option<u64>,
    pub(crate) score: Option<f64>,
    pub(crate) input_count: Option<u64>,
}

/// The tokens and the cost of a run. Only the stage that declares them has any, so sums over spans
/// count nothing twice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// The number of input tokens, including cached ones.
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    /// The number of input tokens that were read from a cache.
    pub(crate) cached_tokens: Option<u64>,
    /// The number of input tokens that were written to a cache.
    pub(crate) cache_write_tokens: Option<u64>,
    /// The number of output tokens that were spent on reasoning.
    pub(crate) reasoning_tokens: Option<u64>,
    /// In US dollars.
    pub(crate) cost_usd: Option<f64>,
}

/// The reserved names of a record's fields. `count` is not among them, since it has an accessor of
/// its own.
const RESERVED: [&str; 19] = [
    "input",
    "output",
    "query",
    "model",
    "provider",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "prompt_name",
    "prompt_version",
    "cost_usd",
    "dimensions",
    "top_k",
    "score",
    "input_count",
    "count",
    "first_item_ms",
];

/// Returns `true` if a field with this name has its own place in a span.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

impl<'a> Content<'a> {
    /// Reads a record's fields with reserved names. A field whose value has the wrong type is left
    /// out.
    pub(super) fn of(record: &'a Record) -> Self {
        let mut content = Self::default();
        for (name, value) in record.context().chain(record.metrics()) {
            content.set(name, value);
        }
        content
    }

    fn set(&mut self, name: &str, value: &'a Value) {
        let usage = &mut self.usage;
        match name {
            "input" => self.input = Some(value),
            "output" => self.output = Some(value),
            "query" => self.query = Some(value),
            "model" => self.model = value.as_str(),
            "provider" => self.provider = value.as_str(),
            "prompt_name" => self.prompt_name = value.as_str(),
            "prompt_version" => self.prompt_version = Some(value),
            "input_tokens" => usage.input_tokens = whole(value),
            "output_tokens" => usage.output_tokens = whole(value),
            "cached_tokens" => usage.cached_tokens = whole(value),
            "cache_write_tokens" => usage.cache_write_tokens = whole(value),
            "reasoning_tokens" => usage.reasoning_tokens = whole(value),
            "cost_usd" => usage.cost_usd = value.as_f64().filter(|cost| cost.is_finite()),
            "dimensions" => self.dimensions = whole(value),
            "top_k" => self.top_k = whole(value),
            "score" => self.score = value.as_f64().filter(|score| score.is_finite()),
            "input_count" => self.input_count = whole(value),
            _ => {}
        }
    }

    /// Returns `input`, or else `query`.
    pub(crate) fn input_or_query(&self) -> Option<&'a Value> {
        self.input.or(self.query)
    }

    /// Returns the messages in `input`, if it is a list of them.
    pub(crate) fn input_messages(&self) -> Option<Vec<Message<'a>>> {
        self.input.and_then(|input| messages::of_list(input.as_json()?))
    }

    /// Returns the messages in `output`, if it is one or a list of them.
    pub(crate) fn output_messages(&self) -> Option<Vec<Message<'a>>> {
        self.output.and_then(|output| messages::of_one_or_list(output.as_json()?))
    }

    /// Returns the version of the prompt as text.
    pub(crate) fn prompt_version_text(&self) -> Option<Cow<'a, str>> {
        match self.prompt_version? {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }
}

impl Usage {
    /// Returns the number of input and output tokens together, if either is known.
    pub(crate) fn total_tokens(&self) -> Option<u64> {
        match (self.input_tokens, self.output_tokens) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }

    /// Returns `true` if no member is known.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Returns a number as an integer. Integers up to 2^53 may come as floats, as some clients send
/// counts.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
fn whole(value: &Value) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    let of_float = |number: &f64| (0.0..=MOST).contains(number) && number.fract() == 0.0;
    value.as_u64().or_else(|| value.as_f64().filter(of_float).map(|number| number as u64))
}
