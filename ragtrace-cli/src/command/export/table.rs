//! Records as rows of CSV (RFC 4180).

use ragtrace::{Record, RecordItem, StageKind, Value};
use serde_json::{Map, Value as Json};

use crate::output::Failure;

/// The treatment of texts that a spreadsheet would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// A text that would be a formula gets an apostrophe in front, which makes it a text.
    Safe,
    /// Texts stay as they are.
    Raw,
}

/// A column: its name, and how to get its cell from a record.
type Column = (&'static str, fn(&Record) -> Cell);

/// A cell. Only a text may be mistaken for a formula.
enum Cell {
    Empty,
    Text(String),
    Exact(String),
}

const COLUMNS: [Column; 40] = [
    ("id", |record| exact(record.id())),
    ("timestamp", |record| exact(record.timestamp())),
    ("level", |record| exact(record.level())),
    ("logger", |record| text(Some(record.logger()))),
    ("message", |record| text(Some(&record.message()))),
    ("event", |record| exact(record.event())),
    ("stage", |record| text(record.stage())),
    ("kind", |record| text(record.kind().map(StageKind::as_str))),
    ("trace_id", |record| some(record.trace_id())),
    ("span_id", |record| some(record.span_id())),
    ("parent_span_id", |record| some(record.parent_span_id())),
    ("local_root", |record| exact(record.is_local_root())),
    ("request_id", |record| text(record.request_id())),
    ("user_id", |record| text(record.user_id())),
    ("tenant_id", |record| text(record.tenant_id())),
    ("session_id", |record| text(record.session_id())),
    ("request_type", |record| text(record.request_type())),
    ("service", |record| text(record.service())),
    ("environment", |record| text(record.environment())),
    ("version", |record| text(record.version())),
    ("host", |record| text(record.host())),
    ("instance", |record| exact(record.instance())),
    ("thread", |record| text(record.thread())),
    ("duration_ms", |record| some(record.metric("duration_ms"))),
    ("busy_ms", |record| some(record.metric("busy_ms"))),
    ("count", |record| some(record.count())),
    ("cost_usd", |record| some(record.metric("cost_usd"))),
    ("error_type", |record| text(record.error().map(|error| error.type_name()))),
    ("error_message", |record| text(record.error().map(|error| error.message()))),
    ("error_chain", |record| text(record.error().map(|error| error.chain().join("\n")).as_deref())),
    ("stack_trace", |record| text(record.stack_trace())),
    ("context", |record| text(record.context_json().as_deref())),
    ("metrics", |record| text(record.metrics_json().as_deref())),
    ("used", |record| text(items(record.used()).as_deref())),
    ("generated", |record| text(items(record.generated()).as_deref())),
    ("source", |record| text(record.source().map(|(file, line)| format!("{file}:{line}")).as_deref())),
    ("score_name", |record| text(record.score().map(|score| score.name()))),
    ("score_value", |record| record.score().map_or(Cell::Empty, |score| value(score.value()))),
    ("score_by", |record| text(record.score().and_then(|score| score.by()))),
    ("score_comment", |record| text(record.score().and_then(|score| score.comment()))),
];

/// Returns the line with the names of the columns.
pub(super) fn head() -> Result<Vec<u8>, Failure> {
    written(|writer| writer.write_record(COLUMNS.map(|(name, _)| name)))
}

/// Returns a line for each record.
pub(super) fn rows(cells: Cells, records: &[Record]) -> Result<Vec<u8>, Failure> {
    written(|writer| {
        records.iter().try_for_each(|record| {
            writer.write_record(COLUMNS.iter().map(|(_, cell)| match cell(record) {
                Cell::Empty => String::new(),
                Cell::Exact(exact) => exact,
                Cell::Text(text) if cells == Cells::Safe && is_formula(&text) => format!("'{text}"),
                Cell::Text(text) => text,
            }))
        })
    })
}

fn written(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    write(&mut writer)?;
    writer.into_inner().map_err(|error| Failure::new(error.to_string()))
}

/// Returns `true` if a spreadsheet would take the text for a formula (OWASP, "CSV Injection"). Some
/// read the wide forms of the signs too, and some pass over blanks in front.
fn is_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

fn exact(value: impl ToString) -> Cell {
    Cell::Exact(value.to_string())
}

fn some(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, exact)
}

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Empty, |text| Cell::Text(text.to_owned()))
}

fn value(value: &Value) -> Cell {
    match value {
        Value::Text(label) => text(Some(label)),
        Value::Bool(flag) => exact(flag),
        number => some(number.as_f64()),
    }
}

/// Returns items as in the canonical JSON, or nothing if there are none.
fn items(items: &[RecordItem]) -> Option<String> {
    let json = |item: &RecordItem| {
        let mut members = Map::new();
        members.insert("type".to_owned(), item.item_type().into());
        members.insert("id".to_owned(), item.id().into());
        let texts = [("content", item.content()), ("source", item.source()), ("derived_from", item.derived_from())];
        members.extend(item.score().map(|score| ("score".to_owned(), score.into())));
        members.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
        Json::Object(members)
    };
    (!items.is_empty()).then(|| items.iter().map(json).collect::<Json>().to_string())
}
