//! `ragtrace tail`: the last records, and with `-f` those that come.

use std::time::Duration;

use ragtrace_store::{self as store, LogFilter, LogRow};

use crate::filter::IdentityFilter;
use crate::output::{Failure, Format, Found, Output};
use crate::rows;

/// How often a store is asked for news.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Go on with what is written from now on, until interrupted.
    #[arg(short, long)]
    follow: bool,
    /// At most this many of the records that are there.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 10)]
    lines: usize,
    #[command(flatten)]
    identity: IdentityFilter,
    /// Only the stage of this name.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Output format. One document has no end to wait for here, so `json` is written as `jsonl`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    fn filter(&self) -> LogFilter {
        let filter = self.identity.logs(LogFilter::new().limit(self.lines));
        match &self.stage {
            Some(stage) => filter.stage(stage),
            None => filter,
        }
    }

    fn wants(&self, row: &LogRow) -> bool {
        self.identity.fits(row) && (self.stage.is_none() || self.stage.as_deref() == row.stage())
    }
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let format = if args.format == Format::Json { Format::Jsonl } else { args.format };
    let mut output = Output::new();
    // The cursor first, so that nothing falls between the two; what is in both is written once.
    let mut cursor = store.tail(None).await?.cursor;
    let mut rows = store.logs(args.filter()).await?;
    rows.reverse();
    rows::write(&mut output, format, &rows)?;
    if !args.follow {
        return Ok(if rows.is_empty() { Found::Nothing("no records match".to_owned()) } else { Found::Something });
    }
    let mut written: Vec<_> = rows.iter().map(|row| row.id()).collect();
    loop {
        let tail = store.tail(Some(cursor)).await?;
        cursor = tail.cursor;
        let new: Vec<LogRow> =
            tail.rows.into_iter().filter(|row| args.wants(row) && !written.contains(&row.id())).collect();
        if !new.is_empty() {
            // One of those that were there can come up in the first news alone.
            written.clear();
        }
        rows::write(&mut output, format, &new)?;
        tokio::time::sleep(PAUSE).await;
    }
}
