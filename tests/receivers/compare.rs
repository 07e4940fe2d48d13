//! Compares the spans that arrived with those in the store.

use ragtrace::{Event, Record, RecordItem, StageKind, Value};
use ragtrace_sinks::store::{SpanNode, SpanStatus, Trace};
use serde_json::Value as Json;

use crate::arrived::{Arrived, Status};

/// The records that a program sent.
#[derive(Debug)]
pub struct Sent {
    /// The trace, read from the store.
    pub trace: Trace,
    /// All records, as the console shows them. Documents are in these, and not in the store.
    pub records: Vec<Record>,
}

/// The largest difference of times, in nanoseconds, since records and some receivers have
/// microseconds.
const TOLERANCE: u64 = 2_000;

/// The attributes that a dialect has for the contents of records. Of several names, the first one
/// that is present counts.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The attribute of a span's kind, and the value for each kind.
    pub kind: (&'static str, fn(StageKind) -> &'static str),
    /// The model's name.
    pub model: &'static [&'static str],
    /// The counts of tokens: the records' names and the dialect's.
    pub tokens: &'static [(&'static str, &'static str)],
    /// The cost in US dollars.
    pub cost: &'static str,
    /// The query of a search.
    pub query: &'static [&'static str],
    /// The conversation.
    pub session: &'static str,
    /// The places of the items that stages of some kinds generated.
    pub documents: &'static [(StageKind, Documents)],
}

/// The form in which a dialect lists documents.
#[derive(Clone, Copy, Debug)]
pub enum Documents {
    /// Several attributes per document: `{prefix}.{i}.document.{id,score,content}`.
    Numbered(&'static str),
    /// One attribute, a JSON list of objects with `id`, `score` and `content`.
    Json(&'static str),
}

impl Sent {
    /// Returns the trace's id as 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.trace.trace_id().to_hex()
    }

    /// Returns the items that a run generated, from its end record.
    fn generated(&self, span: SpanNode<'_>) -> &[RecordItem] {
        let is_end = |record: &&Record| record.span_id() == Some(span.span_id()) && record.event() != Event::Started;
        self.records.iter().find(is_end).map_or(&[], Record::generated)
    }
}

/// Compares every span of a trace with the one that arrived.
///
/// # Panics
///
/// Panics if a span is missing, arrived twice, is not in the store, or differs.
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

/// Compares name, tree, kind, times and outcome.
fn assert_same(span: SpanNode<'_>, arrived: &Arrived, dialect: &Dialect) {
    let stage = span.stage();
    assert_eq!(arrived.name, stage);
    assert_eq!(arrived.parent_span_id, span.parent_span_id().map(|id| id.to_string()), "{stage}: its parent");
    let (attribute, kinds) = dialect.kind;
    assert_eq!(arrived.text(attribute), Some(kinds(span.kind().unwrap_or_default())), "{stage}: its kind");
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

/// Compares the error's message, its type, and the chain of its causes.
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

/// Compares model, tokens, cost, query, documents, user and session.
fn assert_same_content(sent: &Sent, span: SpanNode<'_>, arrived: &Arrived, dialect: &Dialect) {
    let (stage, record) = (span.stage(), span.record());
    let field = |name: &str| record.field(name).and_then(Value::as_str);
    let text = |names: &[&str]| arrived.any_of(names).and_then(Json::as_str);
    let number = |name: &str| arrived.attributes.get(name).and_then(Json::as_f64);
    assert_eq!(text(dialect.model), field("model"), "{stage}: its model");
    for (ours, theirs) in dialect.tokens {
        assert_eq!(number(theirs), record.metric(ours), "{stage}: {ours}");
    }
    assert_eq!(number(dialect.cost), span.cost_usd(), "{stage}: its cost");
    if let Some(query) = field("query") {
        assert_eq!(text(dialect.query), Some(query), "{stage}: its query");
    }
    assert_eq!(text(&[dialect.session]), record.session_id(), "{stage}: its conversation");
    assert_eq!(text(&["user.id"]), record.user_id(), "{stage}: its user");
    for (kind, documents) in dialect.documents {
        if span.kind() == Some(*kind) {
            let arrived = arrived_documents(arrived, *documents);
            let ours: Vec<_> = sent.generated(span).iter().map(Document::of).collect();
            assert_eq!(arrived, ours, "{stage}: its documents");
        }
    }
}

/// A document of a retriever.
#[derive(Debug)]
struct Document {
    id: String,
    score: Option<f64>,
    content: Option<String>,
}

impl PartialEq for Document {
    /// Compares scores within the precision of number parsers.
    fn eq(&self, other: &Self) -> bool {
        let is_near = match (self.score, other.score) {
            (Some(score), Some(other)) => (score - other).abs() <= 1e-12,
            (score, other) => score == other,
        };
        is_near && self.id == other.id && self.content == other.content
    }
}

impl Document {
    fn of(item: &RecordItem) -> Self {
        Self { id: item.id().to_owned(), score: item.score(), content: item.content().map(str::to_owned) }
    }

    /// Reads a document by its members.
    fn read(member: impl Fn(&str) -> Option<Json>) -> Option<Self> {
        let text = |name| member(name).and_then(|value| value.as_str().map(str::to_owned));
        Some(Self {
            id: text("id")?,
            score: member("score").and_then(|score| score.as_f64()),
            content: text("content"),
        })
    }
}

fn arrived_documents(arrived: &Arrived, documents: Documents) -> Vec<Document> {
    match documents {
        Documents::Numbered(prefix) => {
            let at = |index: usize| {
                Document::read(|member| arrived.attributes.get(&format!("{prefix}.{index}.document.{member}")).cloned())
            };
            (0..).map_while(at).collect()
        }
        Documents::Json(attribute) => {
            let Some(list) = arrived.text(attribute) else { return Vec::new() };
            let list: Vec<Json> = serde_json::from_str(list).expect("a list in JSON");
            list.iter().filter_map(|document| Document::read(|member| document.get(member).cloned())).collect()
        }
    }
}
