//! `ragtrace replay`: dead letters, once what they were refused for is mended.

use std::io::Write;
use std::path::PathBuf;

use ragtrace::Sink;
use ragtrace::spool::DeadLetters;

use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of the spool.
    #[arg(long, env = "RAGTRACE_SPOOL", value_name = "FOLDER")]
    spool: PathBuf,
}

pub(crate) async fn run(args: &Args) -> Result<Found, Failure> {
    let sinks = ragtrace_sinks::from_env().map_err(|error| Failure::new(error.to_string()))?;
    let letters = DeadLetters::new(&args.spool);
    let mut out = Output::new().writer;
    let mut found = false;
    for sink in &sinks {
        let replayed = letters.replay(sink).await?;
        sink.close().await;
        found |= replayed.delivered > 0;
        writeln!(out, "{}: {} replayed, {} left", sink.name(), replayed.delivered, replayed.kept)?;
        for reason in &replayed.reasons {
            writeln!(out, "  refused again: {reason}")?;
        }
    }
    out.flush()?;
    Ok(if found { Found::Something } else { Found::Nothing("no dead letter was delivered".to_owned()) })
}
