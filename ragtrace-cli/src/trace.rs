//! `ragtrace trace`: one trace, drawn.

use std::io::Write;

use ragtrace::TraceId;
use ragtrace_store::{self as store, LogStore, Trace, Waterfall};

use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace's id (a UUID or 32 hex digits) or the beginning of it, or `last`.
    id: String,
    /// How to write it: a waterfall, one JSON document, or a JSON line a span.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Draw every span, also where runs of alike ones would be folded into a line.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let id = match find(&store, &args.id).await? {
        Ok(id) => id,
        Err(why) => return Ok(Found::Nothing(why)),
    };
    match store.trace(id).await? {
        Some(trace) => write(&mut Output::new(), args, &trace),
        None => Ok(Found::Nothing(format!("there is no trace {id}"))),
    }
}

/// The trace that a user means, or why there is none.
pub(crate) async fn find(store: &LogStore, named: &str) -> Result<Result<TraceId, String>, Failure> {
    /// So many are named where a beginning fits several.
    const SHOWN: usize = 5;
    if named == "last" {
        let latest = store.latest_trace().await?;
        return Ok(latest.map(|trace| trace.trace_id()).ok_or_else(|| "the store has no traces yet".to_owned()));
    }
    if let Ok(id) = named.parse() {
        return Ok(Ok(id));
    }
    if !named.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') || named.trim_matches('-').is_empty() {
        let message =
            format!("{named:?} is no trace id: give a UUID, 32 hex digits, the beginning of either, or `last`");
        return Err(Failure::new(message));
    }
    let fitting = store.traces_starting_with(named, SHOWN + 1).await?;
    match fitting[..] {
        [] => Ok(Err(format!("there is no trace that begins with {named}"))),
        [one] => Ok(Ok(one)),
        _ => {
            let shown: Vec<_> = fitting.iter().take(SHOWN).map(TraceId::to_string).collect();
            let more = if fitting.len() > SHOWN { " and more" } else { "" };
            Err(Failure::new(format!("{named} is the beginning of several traces: {}{more}", shown.join(", "))))
        }
    }
}

fn write(output: &mut Output, args: &Args, trace: &Trace) -> Result<Found, Failure> {
    let (width, colour) = (output.width, output.colour);
    match args.format {
        Format::Table => {
            let picture = Waterfall::new(trace).width(width).colour(colour).all(args.all);
            writeln!(output.writer, "{picture}")?;
        }
        Format::Json => writeln!(output.writer, "{}", trace.to_json())?,
        Format::Jsonl => trace.spans().try_for_each(|span| writeln!(output.writer, "{}", span.to_json()))?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}
