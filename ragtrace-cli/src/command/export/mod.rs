//! `ragtrace export`: writes records and scores to a file or to standard output.
//!
//! Records come from the oldest to the newest, and the scores after them, in the same order. Only a
//! page of them is in memory at a time. A file appears under its name once it is complete.

mod destination;
mod encoding;
mod lists;
mod pages;
mod table;

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace::Record;
use ragtrace_sinks::OtlpJson;
use ragtrace_store::{self as store, LogStore};

use self::destination::Destination;
use self::encoding::{Encoding, ExportFormat, Signal};
use self::lists::{Records, Scores};
use self::pages::{NewestFirst, Pages};
use self::table::Cells;
use crate::arguments::selection::{RecordFilter, Selection};
use crate::output::interrupt::unless_interrupted;
use crate::output::{Failure, Found, tell};

/// The number of rows in a page.
const PAGE: usize = 4_000;
/// The bytes of a page above which the next ones have fewer rows.
const LARGE: u64 = 8 << 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    records: RecordFilter,
    /// File to write, which is replaced once the new one is complete. Its contents are compressed
    /// if its name ends in `.gz`. [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format of the export.
    #[arg(long, value_enum, default_value_t)]
    format: ExportFormat,
    /// Signals to write with `--format otlp`. Some receivers want a file for each.
    #[arg(long, value_enum, default_value_t)]
    signal: Signal,
    /// Write texts to CSV as they are.
    ///
    /// By default a text that a spreadsheet would run as a formula, since it begins with `=`, `+`,
    /// `-`, `@`, a tab or a line break, gets an apostrophe in front.
    #[arg(long)]
    raw: bool,
    /// Leave scores out.
    #[arg(long)]
    no_scores: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    args.records.check()?;
    match args.output {
        // Its unfinished file has to go.
        Some(_) => unless_interrupted(export(url, args)).await,
        None => export(url, args).await,
    }
}

async fn export(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let selection = match args.records.select(&store).await? {
        Ok(selection) => selection,
        Err(why) => return Ok(Found::Nothing(why)),
    };
    let mut export = Export::begin(args)?;
    let [records, scores] = export.all(&store, &selection, args.no_scores).await?;
    export.finish()?;
    if records + scores == 0 {
        return Ok(Found::Nothing("no records match".to_owned()));
    }
    if let Some(path) = &args.output {
        tell(format_args!("{records} records and {scores} scores are in `{}`", path.display()));
    }
    Ok(Found::Something)
}

/// An export in progress.
struct Export {
    encoding: Encoding,
    destination: Destination,
    bar: ProgressBar,
}

impl Export {
    fn begin(args: &Args) -> Result<Self, Failure> {
        let encoding = match args.format {
            ExportFormat::Jsonl => Encoding::Jsonl,
            ExportFormat::Otlp => Encoding::Otlp(OtlpJson::new(), args.signal),
            ExportFormat::Csv => Encoding::Csv(if args.raw { Cells::Raw } else { Cells::Safe }),
        };
        let mut destination = Destination::open(args.output.as_deref())?;
        destination.write(&encoding.head()?)?;
        // The bar is drawn on standard error, and only if that is a terminal. Its length is the
        // time that the records span, since their number is not known.
        let bar = ProgressBar::new(1_000);
        let style = ProgressStyle::with_template("{bar:30} {percent}%  {msg}").unwrap_or(ProgressStyle::default_bar());
        bar.set_style(style);
        Ok(Self { encoding, destination, bar })
    }

    /// Writes everything selected, and returns the numbers of records and of scores.
    async fn all(&mut self, store: &LogStore, selection: &Selection, no_scores: bool) -> Result<[u64; 2], Failure> {
        let window = (selection.since, selection.until);
        let records = Records { store, filter: selection.filter(), trace: selection.trace_id };
        let records = match Pages::begin(records, window, PAGE).await? {
            Some(pages) => self.pages(pages, |row| Some(row.record().clone())).await?,
            None => 0,
        };
        if no_scores {
            return Ok([records, 0]);
        }
        let scores = match Pages::begin(Scores { store, trace: selection.trace_id }, window, PAGE).await? {
            Some(pages) => {
                let fitting = |row: &ragtrace_store::ScoreRow| selection.fits(row).then(|| row.record().clone());
                self.pages(pages, fitting).await?
            }
            None => 0,
        };
        Ok([records, scores])
    }

    /// Writes the pages of one list, and returns the number of records written.
    async fn pages<L: NewestFirst>(
        &mut self,
        mut pages: Pages<L>,
        record: impl Fn(&L::Row) -> Option<Record>,
    ) -> Result<u64, Failure> {
        let mut written = 0;
        while let Some(rows) = pages.next().await? {
            let records: Vec<Record> = rows.iter().filter_map(&record).collect();
            drop(rows);
            let before = self.destination.bytes;
            self.destination.write(&self.encoding.encode(&records)?)?;
            written += records.len() as u64;
            self.show(pages.progress(), written);
            let is_large = self.destination.bytes - before > LARGE;
            pages.size = if is_large { (pages.size / 2).max(16) } else { (pages.size * 2).min(PAGE) };
        }
        Ok(written)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1,000")]
    fn show(&self, progress: f64, written: u64) {
        self.bar.set_position((progress * 1_000.0) as u64);
        self.bar.set_message(format!("{written} records"));
    }

    fn finish(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        self.destination.finish()
    }
}
