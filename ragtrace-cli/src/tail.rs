//! `ragtrace tail`: the last records, and with `-f` those that come.

use std::time::Duration;

use ragtrace_store::{self as store, LogFilter, LogRow};

use crate::output::{Failure, Format, Found, Output};
use crate::rows;

/// How often a store is asked for news.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Go on with what is written from now on, until interrupted.
    #[arg(short, long)]
    follow: bool,
    /// So many of those that are there.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 10)]
    lines: usize,
    /// Records of this user.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Records of this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Records of this stage.
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// How to write them: one document has no end to wait for here, so `json` is written as `jsonl`.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    fn to_store(&self) -> LogFilter {
        let mut filter = LogFilter::new().limit(self.lines);
        if let Some(user) = &self.user {
            filter = filter.user(user);
        }
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant(tenant);
        }
        if let Some(stage) = &self.stage {
            filter = filter.stage(stage);
        }
        filter
    }

    fn wants(&self, row: &LogRow) -> bool {
        let fits =
            |wanted: &Option<String>, is: Option<&str>| wanted.as_deref().is_none_or(|wanted| is == Some(wanted));
        fits(&self.user, row.user_id()) && fits(&self.tenant, row.tenant_id()) && fits(&self.stage, row.stage())
    }
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let format = if args.format == Format::Json { Format::Jsonl } else { args.format };
    let mut output = Output::new();
    // The cursor first, so that nothing falls between the two; what is in both is written once.
    let mut cursor = store.tail(None).await?.cursor;
    let mut rows = store.logs(args.to_store()).await?;
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
