//! One span of a trace, whole: everything that its end record contains, its scores and its log
//! lines.

use std::borrow::Cow;
use std::io::Write;

use ragtrace::{Event, Level, RecordItem, Value};
use ragtrace_store::{
    LogRow, ScoreRow, SpanNode, SpanStatus, Trace, format_cost, format_count, format_duration, format_score,
};

use crate::output::list::{shown_json, time};
use crate::output::sheet::{Colour, Sheet};
use crate::output::{Failure, Format, Found, Output};

/// The fields that hold content, which is shown apart from the other fields.
const CONTENT: [&str; 3] = ["query", "input", "output"];
/// The largest number of log lines, and of items, that are shown.
const SHOWN: usize = 1_000;

pub(super) fn run(trace: &Trace, named: &str, format: Format) -> Result<Found, Failure> {
    let Some(span) = find(trace, named)? else {
        return Ok(Found::Nothing(format!("the trace has no span and no stage {named:?}")));
    };
    let mut output = Output::new();
    match format {
        Format::Table => {
            let mut sheet = Sheet::new(output.width(), output.colour);
            draw(&mut sheet, trace, span);
            output.writer.write_all(sheet.finish().as_bytes())?;
        }
        Format::Json | Format::Jsonl => writeln!(output.writer, "{}", shown_json(&span.to_json()))?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}

/// Returns the span whose id begins with `named`, or that is the only run of the stage `named`.
fn find<'a>(trace: &'a Trace, named: &str) -> Result<Option<SpanNode<'a>>, Failure> {
    /// The number of spans shown if several match.
    const CHOICES: usize = 5;
    let digits = named.to_ascii_lowercase();
    let is_id = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let by_id = trace.spans().filter(|span| is_id && span.span_id().to_string().starts_with(&digits));
    let mut found: Vec<SpanNode<'a>> = by_id.collect();
    if found.is_empty() {
        found = trace.spans().filter(|span| span.stage() == named).collect();
    }
    if found.len() <= 1 {
        return Ok(found.pop());
    }
    let choice = |span: &SpanNode<'_>| {
        let took = span.duration().map(|took| format!(" in {}", format_duration(took))).unwrap_or_default();
        format!("{} ({} {}{took})", span.span_id(), span.stage(), span.status())
    };
    let choices: Vec<String> = found.iter().take(CHOICES).map(choice).collect();
    let more = if found.len() > CHOICES { " and more" } else { "" };
    Err(Failure::new(format!("{named} matches several spans, so give an id: {}{more}", choices.join(", "))))
}

fn draw(sheet: &mut Sheet, trace: &Trace, span: SpanNode<'_>) {
    head(sheet, trace, span);
    error(sheet, span);
    let record = span.record();
    let is_content = |name: &str| CONTENT.contains(&name);
    fields(sheet, "context", record.context().filter(|(name, _)| !is_content(name)));
    fields(sheet, "metrics", record.metrics());
    for (name, value) in record.context().filter(|(name, _)| is_content(name)) {
        sheet.section(name);
        sheet.text(Colour::None, &shown(value));
    }
    items(sheet, "used", record.used());
    items(sheet, "generated", record.generated());
    scores(sheet, span);
    logs(sheet, trace, span);
}

fn head(sheet: &mut Sheet, trace: &Trace, span: SpanNode<'_>) {
    let record = span.record();
    let (mark, colour) = mark(span.status());
    let took = span.duration().map(|took| format!(" in {}", format_duration(took))).unwrap_or_default();
    sheet.line(colour, &format!("{mark} {}  {}{took}", span.stage(), span.status()));
    let since = format_duration(span.started_at().since(trace.started_at()));
    let parent = span.parent().map(|parent| format!("{} ({})", parent.span_id(), parent.stage()));
    let pairs = [
        ("span", Some(span.span_id().to_string())),
        ("trace", Some(trace.trace_id().to_string())),
        ("parent", parent.or_else(|| span.parent_span_id().map(|id| format!("{id} (not in the store)")))),
        ("kind", span.kind().map(|kind| kind.to_string())),
        ("started", Some(format!("{} UTC, {since} into the trace", time(span.started_at())))),
        ("self time", span.self_time().map(format_duration)),
        ("critical", span.critical_time().map(format_duration)),
        ("busy", span.busy().map(format_duration)),
        ("items", span.count().map(format_count)),
        ("cost", span.cost_usd().map(format_cost)),
        ("user", record.user_id().map(str::to_owned)),
        ("tenant", record.tenant_id().map(str::to_owned)),
        ("session", record.session_id().map(str::to_owned)),
        ("request", record.request_id().map(str::to_owned)),
        ("request type", record.request_type().map(str::to_owned)),
        ("service", service(span)),
        ("host", record.host().map(str::to_owned)),
        ("thread", record.thread().map(str::to_owned)),
        ("source", record.source().map(|(file, line)| format!("{file}:{line}"))),
    ];
    sheet.pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, Cow::Owned(value?)))));
    for link in record.links() {
        sheet.text(Colour::None, &format!("⇠ span {} of trace {} led to this one", link.span_id, link.trace_id));
    }
}

/// Returns the service's name, version and environment.
fn service(span: SpanNode<'_>) -> Option<String> {
    let record = span.record();
    let parts = [record.service(), record.version(), record.environment()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn error(sheet: &mut Sheet, span: SpanNode<'_>) {
    if let Some(error) = span.error() {
        sheet.section("error");
        sheet.text(Colour::Red, &format!("{}: {}", error.type_name(), error.message()));
        error.chain().iter().for_each(|source| sheet.text(Colour::Red, &format!("↳ {source}")));
    }
    if let Some(stack_trace) = span.stack_trace() {
        sheet.section("stack trace");
        sheet.text(Colour::Dim, stack_trace);
    }
}

fn fields<'r>(sheet: &mut Sheet, title: &str, fields: impl Iterator<Item = (&'r str, &'r Value)>) {
    let mut fields = fields.peekable();
    if fields.peek().is_some() {
        sheet.section(title);
        sheet.pairs(fields.map(|(name, value)| (name, shown(value))));
    }
}

fn items(sheet: &mut Sheet, title: &str, items: &[RecordItem]) {
    if items.is_empty() {
        return;
    }
    sheet.section(title);
    for item in items.iter().take(SHOWN) {
        let score = item.score().map(|score| format!("{}  ", format_score(score))).unwrap_or_default();
        let derived = item.derived_from().map(|id| format!("  from {id}")).unwrap_or_default();
        let source = item.source().map(|source| format!("  {source}")).unwrap_or_default();
        sheet.text(Colour::None, &format!("{score}{}:{}{derived}{source}", item.item_type(), item.id()));
        if let Some(content) = item.content() {
            sheet.text(Colour::Dim, content);
        }
    }
    more(sheet, items.len());
}

fn scores(sheet: &mut Sheet, span: SpanNode<'_>) {
    let mut scores = span.scores().peekable();
    if scores.peek().is_none() {
        return;
    }
    sheet.section("scores");
    for score in scores {
        sheet.text(Colour::Cyan, &judgement(score));
    }
}

fn judgement(score: &ScoreRow) -> String {
    let value = match score.value() {
        Value::Bool(flag) => (if *flag { "yes" } else { "no" }).to_owned(),
        value => value.as_f64().map_or_else(|| shown(value).into_owned(), format_score),
    };
    let by = score.by().map(|by| format!(" by {by}")).unwrap_or_default();
    let comment = score.comment().map(|comment| format!(": {comment}")).unwrap_or_default();
    format!("{} {value}{by}{comment}", score.name())
}

fn logs(sheet: &mut Sheet, trace: &Trace, span: SpanNode<'_>) {
    let is_of_it = |row: &&LogRow| row.event() == Event::Log && row.span_id() == Some(span.span_id());
    let rows: Vec<&LogRow> = trace.logs().iter().filter(is_of_it).collect();
    if rows.is_empty() {
        return;
    }
    sheet.section("log lines");
    for row in rows.iter().take(SHOWN) {
        let since = format_duration(row.timestamp().since(trace.started_at()));
        let fields = row.context().chain(row.metrics()).map(|(name, value)| format!(" {name}={}", shown(value)));
        let fields: String = fields.collect();
        let line = format!("{since} {} {}: {}{fields}", row.level(), row.logger(), row.message());
        sheet.text(of_level(row.level()), &line);
        if let Some(error) = row.error() {
            sheet.text(Colour::Red, &format!("{}: {}", error.type_name(), error.message()));
        }
    }
    more(sheet, rows.len());
}

/// Adds a line for what is not shown.
fn more(sheet: &mut Sheet, number: usize) {
    if let Some(more @ 1..) = number.checked_sub(SHOWN) {
        sheet.text(Colour::Dim, &format!("+{} more", format_count(more as u64)));
    }
}

fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Json(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn of_level(level: Level) -> Colour {
    match level {
        Level::Error => Colour::Red,
        Level::Warn => Colour::Yellow,
        Level::Info => Colour::None,
        Level::Debug | Level::Trace => Colour::Dim,
    }
}

fn mark(status: SpanStatus) -> (&'static str, Colour) {
    match status {
        SpanStatus::Completed => ("✓", Colour::Green),
        SpanStatus::Failed => ("✗", Colour::Red),
        SpanStatus::Cancelled => ("⊘", Colour::Yellow),
        SpanStatus::Lost => ("?", Colour::Yellow),
        _ => ("◌", Colour::Cyan),
    }
}
