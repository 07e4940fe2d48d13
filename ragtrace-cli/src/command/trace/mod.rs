//! `ragtrace trace`: draws one trace as a waterfall, sums it up by stage, or shows one of its
//! spans.

mod span;
mod summary;

use std::io::Write;

use ragtrace_store::{self as store, ScoreRow, SpanNode, Trace, Waterfall};

use crate::arguments::find;
use crate::output::list::shown_json;
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Args {
    /// Trace id (a UUID or 32 hex digits), the first digits of one, `last` for the newest trace, or
    /// `last~1` for the one before it.
    id: String,
    /// Output format. `table` draws a waterfall.
    ///
    /// `jsonl` writes one line per span with its scores, then one line per score that belongs to
    /// none of these spans.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Draw every span, and all documents and log lines of each. By default a trace of more than
    /// 100 spans shows similar ones as sums.
    #[arg(long)]
    all: bool,
    /// Show the self time of each span: the time that it spent in none of its children.
    #[arg(long = "self")]
    self_times: bool,
    /// Show the log lines of each span below it.
    ///
    /// Of a span with more than 50 log lines, the most severe 50 are shown; `--all` shows all.
    #[arg(long)]
    logs: bool,
    /// Leave out the documents that retrievers and rerankers found.
    #[arg(long)]
    no_documents: bool,
    /// Sum up the trace by stage instead: runs, total time, self time, time on the critical path,
    /// errors, items and cost.
    #[arg(long, conflicts_with_all = ["all", "self_times", "logs", "no_documents"])]
    summary: bool,
    /// Show one span whole instead: context, metrics, content, items, error, log lines.
    ///
    /// The span is named by its id, the first digits of it, or the name of a stage that ran once.
    #[arg(long, value_name = "ID", conflicts_with_all = ["all", "self_times", "logs", "no_documents", "summary"])]
    span: Option<String>,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let id = match find::trace(&store, &args.id).await? {
        Ok(id) => id,
        Err(why) => return Ok(Found::Nothing(why)),
    };
    let Some(trace) = store.trace(id).await? else { return Ok(Found::Nothing(format!("there is no trace {id}"))) };
    match &args.span {
        Some(named) => span::run(&trace, named, args.format),
        None if args.summary => summary::run(&trace, args.format),
        None => write(&mut Output::new(), args, &trace),
    }
}

fn write(output: &mut Output, args: &Args, trace: &Trace) -> Result<Found, Failure> {
    let (width, colour) = (output.width(), output.colour);
    match args.format {
        Format::Table => {
            let picture = Waterfall::new(trace).width(width).colour(colour).all(args.all);
            let picture = picture.self_times(args.self_times).logs(args.logs).documents(!args.no_documents);
            writeln!(output.writer, "{picture}")?;
        }
        Format::Json => writeln!(output.writer, "{}", shown_json(&trace.to_json()))?,
        Format::Jsonl => write_lines(&mut output.writer, trace)?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}

/// Writes one line per span. Scores of the whole trace, and of spans that are not in the store,
/// follow on lines of their own.
fn write_lines(writer: &mut impl Write, trace: &Trace) -> std::io::Result<()> {
    trace.spans().try_for_each(|span| writeln!(writer, "{}", shown_json(&span.to_json())))?;
    let known: std::collections::HashSet<_> = trace.spans().map(SpanNode::span_id).collect();
    let is_loose = |score: &&ScoreRow| score.span_id().is_none_or(|id| !known.contains(&id));
    trace.scores().iter().filter(is_loose).try_for_each(|score| writeln!(writer, "{}", shown_json(&score.to_json())))
}
