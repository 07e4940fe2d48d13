//! `ragtrace diff`: compares two traces stage by stage.

mod cell;
mod layout;

use std::io::Write;

use ragtrace::TraceId;
use ragtrace_store::{self as store, LogStore, StageDiff, Trace};

use crate::arguments::find;
use crate::output::list::{shown_json, write_json};
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// First trace, the older one: its id, the first digits of it, `last` for the newest trace, or
    /// `last~1` for the one before it.
    before: String,
    /// Second trace, written as the first.
    after: String,
    /// Show only stages that are new or gone, or whose outcome, or by more than 10 % the duration,
    /// number of items or cost, has changed. Stages that enclose one are shown too.
    #[arg(long)]
    changed: bool,
    /// Output format. `jsonl` writes one line per stage, and no totals.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let (before, after) = (trace(&store, &args.before).await?, trace(&store, &args.after).await?);
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return Ok(Found::Nothing(why)),
    };
    let diff = before.diff(&after);
    let diff = if args.changed { diff.only_changed() } else { diff };
    let mut output = Output::new();
    match args.format {
        Format::Table => {
            let text = layout::draw(&diff, output.width(), output.colour);
            output.writer.write_all(text.as_bytes())?;
        }
        Format::Json => writeln!(output.writer, "{}", shown_json(&diff.to_json()))?,
        Format::Jsonl => write_json(&mut output.writer, args.format, diff.stages().iter().map(StageDiff::to_json))?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}

/// Returns the trace that an argument names. The inner `Err` says why there is none.
async fn trace(store: &LogStore, named: &str) -> Result<Result<Trace, String>, Failure> {
    let id: TraceId = match find::trace(store, named).await? {
        Ok(id) => id,
        Err(why) => return Ok(Err(why)),
    };
    Ok(store.trace(id).await?.ok_or_else(|| format!("there is no trace {id}")))
}
