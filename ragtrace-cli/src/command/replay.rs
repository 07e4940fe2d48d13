//! `ragtrace replay`: delivers dead letters again, after the reason for their refusal was fixed.

use std::io::Write;
use std::path::PathBuf;

use ragtrace::Sink;
use ragtrace::spool::DeadLetters;

use crate::arguments::setting;
use crate::output::{Failure, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the spool [default: the environment variable `RAGTRACE_SPOOL`]
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args, store: Option<&str>) -> Result<Found, Failure> {
    if store.is_some() {
        return Err(Failure::new("dead letters go to the sinks that RAGTRACE_SINKS names: leave out `--store`"));
    }
    let no_spool = || Failure::new("the spool's folder is missing: pass `--spool FOLDER`, or set RAGTRACE_SPOOL");
    let spool = setting::spool(args.spool.clone()).ok_or_else(no_spool)?;
    let sinks = ragtrace_sinks::from_env().map_err(|error| Failure::new(error.to_string()))?;
    let letters = DeadLetters::new(&spool);
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
