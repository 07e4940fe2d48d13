//! `ragtrace trace`: one trace, drawn.

use std::io::Write;

use ragtrace_store::{self as store, Trace, Waterfall};

use crate::find;
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The trace's id (a UUID or 32 hex digits) or the beginning of it, or `last`.
    id: String,
    /// Output format: a waterfall, one JSON document, or a JSON line a span.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Draw every span, instead of sums over alike ones where a trace has more than a hundred.
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
        Format::Jsonl => trace.spans().try_for_each(|span| writeln!(output.writer, "{}", span.to_json()))?,
    }
    output.writer.flush()?;
    Ok(Found::Something)
}
