//! `ragtrace trace`: draws one trace as a waterfall.

use std::io::Write;

use ragtrace_store::{self as store, ScoreRow, Trace, Waterfall};

use crate::arguments::find;
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trace id (a UUID or 32 hex digits), the first digits of one, or `last` for the newest.
    id: String,
    /// Output format. `table` draws a waterfall.
    ///
    /// `jsonl` writes one line per span with its scores, then one line per score that belongs to
    /// none of these spans.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Draw every span. By default a trace of more than 100 spans shows similar ones as sums.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let id = match find::trace(&store, &args.id).await? {
        Ok(id) => id,
        Err(why) => return Ok(Found::Nothing(why)),
    };
    match store.trace(id).await? {
        Some(trace) => write(&mut Output::new(), args, &trace),
        None => Ok(Found::Nothing(format!("there is no trace {id}"))),
    }
}

fn write(output: &mut Output, args: &Args, trace: &Trace) -> Result<Found, Failure> {
    let (width, colour) = (output.width(), output.colour);
    match args.format {
        Format::Table => {
            let picture = Waterfall::new(trace).width(width).colour(colour).all(args.all);
            writeln!(output.writer, "{picture}")?;
        }
        Format::Json => writeln!(output.writer, "{}", trace.to_json())?,
        Format::Jsonl => write_lines(&mut output.writer, trace)?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}

/// Writes one line per span. Scores of the whole trace, and of spans that are not in the store,
/// follow on lines of their own.
fn write_lines(writer: &mut impl Write, trace: &Trace) -> std::io::Result<()> {
    trace.spans().try_for_each(|span| writeln!(writer, "{}", span.to_json()))?;
    let is_loose = |score: &&ScoreRow| score.span_id().and_then(|id| trace.span(id)).is_none();
    trace.scores().iter().filter(is_loose).try_for_each(|score| writeln!(writer, "{}", score.to_json()))
}
