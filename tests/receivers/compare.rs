//! What arrived, held against what our store has.

use ragtrace::{Event, Record, RecordItem, StageKind, Value};
use ragtrace_sinks::store::{SpanNode, SpanStatus, Trace};
use serde_json::Value as Json;

use crate::arrived::{Arrived, Status};

/// What a program sent.
#[derive(Debug)]
pub struct Sent {
    /// The trace, read from our store.
    pub trace: Trace,
    /// All records, as the console shows them: documents are in these, and not in the store.
    pub records: Vec<Record>,
}

/// How far times may be apart, in nanoseconds: records and some receivers have microseconds.
const TOLERANCE: u64 = 2_000;

/// The names that a receiver has for what our records say. Of several any will do, and the first that is there counts.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The attribute of a span's kind, and the name of each kind.
    pub kind: (&'static str, fn(StageKind) -> Option<&'static str>),
    /// The model's name.
    pub model: &'static [&'static str],
    /// Counts of tokens, by our names.
    pub tokens: &'static [(&'static str, &'static [&'static str])],
    /// The cost in US dollars: a number, or a JSON object with `total_cost`.
    pub cost: &'static [&'static str],
    /// The texts that went in and came out, by our names.
    pub texts: &'static [(&'static str, &'static [&'static str])],
    /// Session and user.
    pub session: &'static [&'static str],
    /// The user.
    pub user: &'static [&'static str],
    /// The prefixes of a retriever's documents: `{prefix}.{i}.document.{id,score,content}`.
    pub documents: &'static [(StageKind, &'static str)],
}

impl Sent {
    /// Returns the trace's id as 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.trace.trace_id().to_hex()
    }

    /// Returns the items that a run made, as its end record has them.
    fn generated(&self, span: SpanNode<'_>) -> &[RecordItem] {
        let is_end = |record: &&Record| record.span_id() == Some(span.span_id()) && record.event() != Event::Started;
        self.records.iter().find(is_end).map_or(&[], Record::generated)
    }
}

/// Compares every span of a trace with what arrived of it.
///
/// # Panics
///
/// If a span is missing, came twice, came without being in our store, or says anything else.
pub fn assert_arrived_whole(sent: &Sent, arrived: &[Arrived], dialect: &Dialect) {
    assert_eq!(arrived.len(), sent.trace.spans().len(), "as many spans as our store has: {arrived:#?}");
    for span in sent.trace.spans() {
        let id = span.span_id().to_string();
        let of_it: Vec<_> = arrived.iter().filter(|arrived| arrived.span_id == id).collect();
        let [arrived] = of_it[..] else { panic!("{} came {} times", span.stage(), of_it.len()) };
        assert_same(span, arrived, dialect);
        assert_same_content(sent, span, arrived, dialect);
    }
}

/// Name, tree, kind, times, outcome.
fn assert_same(span: SpanNode<'_>, arrived: &Arrived, dialect: &Dialect) {
    let stage = span.stage();
    assert_eq!(arrived.name, stage);
    assert_eq!(arrived.parent_span_id, span.parent_span_id().map(|id| id.to_string()), "{stage}: its parent");
    let (attribute, kinds) = dialect.kind;
    if let Some(kind) = kinds(span.kind().unwrap_or_default()) {
        assert_eq!(arrived.text(attribute), Some(kind), "{stage}: its kind");
    }
    let started = u64::try_from(span.started_at().as_micros()).expect("after 1970") * 1_000;
    assert!(started.abs_diff(arrived.start) <= TOLERANCE, "{stage}: started at {started}, arrived {}", arrived.start);
    let duration = u64::try_from(span.duration().expect("it ended").as_nanos()).expect("shorter than a century");
    let arrived_duration = arrived.end - arrived.start;
    assert!(
        duration.abs_diff(arrived_duration) <= TOLERANCE,
        "{stage}: took {duration} ns, arrived {arrived_duration}"
    );
    match span.status() {
        SpanStatus::Failed => assert_failed(span, arrived),
        _ => assert!(!matches!(arrived.status, Status::Error(_)), "{stage}: {:?}", arrived.status),
    }
}

/// The error's message, its type, and the chain of its causes.
fn assert_failed(span: SpanNode<'_>, arrived: &Arrived) {
    let (stage, error) = (span.stage(), span.error().expect("why it failed"));
    let Status::Error(description) = &arrived.status else { panic!("{stage}: {:?}", arrived.status) };
    assert!(description.contains(error.message()), "{stage}: {description}");
    let exception = arrived.events.iter().find(|(name, _)| name == "exception").map(|(_, attributes)| attributes);
    let said = |name: &str| exception.and_then(|attributes| attributes.get(name)).and_then(Json::as_str);
    assert_eq!(said("exception.type"), Some(error.type_name()), "{stage}");
    let message = said("exception.message").unwrap_or_default();
    assert!(message.contains(error.message()), "{stage}: {message}");
    for cause in error.chain() {
        let whole = format!("{message}{}", said("exception.stacktrace").unwrap_or_default());
        assert!(whole.contains(&**cause), "{stage}: {cause} in {whole}");
    }
}

/// Tokens, cost, texts, documents, and who it was for.
fn assert_same_content(sent: &Sent, span: SpanNode<'_>, arrived: &Arrived, dialect: &Dialect) {
    let (stage, record) = (span.stage(), span.record());
    if let Some(model) = record.field("model").and_then(Value::as_str) {
        assert_eq!(arrived.any_of(dialect.model), Some(&Json::from(model)), "{stage}: its model");
    }
    for (ours, theirs) in dialect.tokens {
        let tokens = arrived.any_of(theirs).and_then(Json::as_f64);
        assert_eq!(tokens, record.metric(ours), "{stage}: {ours}");
    }
    assert_eq!(cost(arrived, dialect), span.cost_usd(), "{stage}: its cost");
    for (ours, theirs) in dialect.texts {
        if let Some(text) = record.field(ours) {
            let said =
                arrived.any_of(theirs).unwrap_or_else(|| panic!("{stage}: no {ours} in {:?}", arrived.attributes));
            assert_eq!(json(said), json_of(text), "{stage}: {ours}");
        }
    }
    for (ours, theirs) in [(record.session_id(), dialect.session), (record.user_id(), dialect.user)] {
        assert_eq!(arrived.any_of(theirs).and_then(Json::as_str), ours, "{stage}: {theirs:?}");
    }
    for (kind, prefix) in dialect.documents {
        if span.kind() == Some(*kind) {
            assert_same_documents(sent.generated(span), arrived, prefix);
        }
    }
}

fn cost(arrived: &Arrived, dialect: &Dialect) -> Option<f64> {
    let cost = arrived.any_of(dialect.cost)?;
    cost.as_f64().or_else(|| serde_json::from_str::<Json>(cost.as_str()?).ok()?["total_cost"].as_f64())
}

fn assert_same_documents(items: &[RecordItem], arrived: &Arrived, prefix: &str) {
    for (at, item) in items.iter().enumerate() {
        let of = |member: &str| arrived.attributes.get(&format!("{prefix}.{at}.document.{member}"));
        assert_eq!(of("id").and_then(Json::as_str), Some(item.id()), "document {at} of {}", arrived.name);
        assert_eq!(of("score").and_then(Json::as_f64), item.score(), "document {at} of {}", arrived.name);
        assert_eq!(of("content").and_then(Json::as_str), item.content(), "document {at} of {}", arrived.name);
    }
    let next = format!("{prefix}.{}.document.id", items.len());
    assert!(!arrived.attributes.contains_key(&next), "{} has more documents than {}", arrived.name, items.len());
}

/// An attribute's value; the JSON in a text is read.
fn json(value: &Json) -> Json {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => json(&Json::from(&**text)),
        Value::Json(text) => serde_json::from_str(text).expect("JSON"),
        other => serde_json::from_str(&other.to_string()).expect("a number"),
    }
}
