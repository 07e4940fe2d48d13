//! `ragtrace import`: writes exported records and scores to a store.
//!
//! Records that the store has already are left out, by their ids, so an import that was interrupted
//! is continued by running it again, and files may overlap. The rows of a batch and the counts of
//! its runs are written in one transaction, and a run is counted only with a record that is new
//! and that its own process had not counted in this store. Hence nothing is counted twice, however
//! often and in whichever pieces it is imported. Only two imports of the same records at the same
//! time may count a run twice.

mod delivery;
mod lines;
mod source;

use std::collections::HashMap;
use std::io::BufRead;
use std::io::Write;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use ragtrace::sink::BoxSink;
use ragtrace::{Event, Record, Sink};
use ragtrace_store::{self as store, LogStore};
use uuid::Uuid;

use self::delivery::{Outcome, deliver};
use self::lines::Lines;
use self::source::Source;
use crate::output::{Failure, Found, Output, tell};

/// The number of records, and the bytes of their lines, from which on a chunk is written.
const CHUNK: (usize, usize) = (2_000, 4 << 20);
/// The number of bad lines that are shown. The others are counted.
const SHOWN: u64 = 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files to import, with one record a line as `ragtrace export` writes them, compressed with
    /// gzip or not; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Stop at the first line that is not a record or that the store refuses. By default such lines
    /// are reported and left out.
    #[arg(long)]
    strict: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    // A file that cannot be read is noticed before anything is written.
    let sources = args.files.iter().map(|path| Source::open(path)).collect::<Result<Vec<_>, _>>()?;
    let sink = store::sink(url)?;
    store::migrate(url).await?;
    let bar = bar(&sources);
    let mut import =
        Import { store: store::open(url).await?, sink, bar, is_strict: args.strict, totals: Totals::default() };
    let mut done = Ok(());
    for source in sources {
        done = import.file(source).await;
        if done.is_err() {
            break;
        }
    }
    import.sink.close().await;
    import.bar.finish_and_clear();
    import.totals.write()?;
    done?;
    import.totals.found()
}

fn bar(sources: &[Source]) -> ProgressBar {
    // The bar is drawn on standard error, and only if that is a terminal.
    let length: Option<u64> = sources.iter().map(Source::length).sum();
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = if length.is_some() { "{bar:30} {bytes}/{total_bytes}  {msg}" } else { "{spinner} {bytes}  {msg}" };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar()));
    bar
}

/// An import in progress.
struct Import {
    store: LogStore,
    sink: BoxSink,
    bar: ProgressBar,
    is_strict: bool,
    totals: Totals,
}

#[derive(Default)]
struct Totals {
    records: u64,
    scores: u64,
    stored: u64,
    bad: u64,
}

/// Records that are read and not written yet, and the line of each.
#[derive(Default)]
struct Chunk {
    records: Vec<Record>,
    line_of: HashMap<Uuid, u64>,
    bytes: usize,
}

impl Import {
    async fn file(&mut self, source: Source) -> Result<(), Failure> {
        let name = source.name();
        let unreadable = |error: std::io::Error| Failure::new(format!("`{name}` cannot be read: {error}"));
        let mut lines = Lines::new(source.reader(&self.bar).map_err(unreadable)?);
        let mut chunk = Chunk::default();
        let mut read = Ok(());
        while read.is_ok() {
            match self.line(&name, &mut lines, &mut chunk) {
                Ok(true) if chunk.is_full() => self.write(&name, std::mem::take(&mut chunk)).await?,
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => read = Err(failure),
            }
        }
        // What was read before an error is written, so that the next run begins after it.
        self.write(&name, chunk).await?;
        read
    }

    /// Adds the record of the next line to the chunk, and returns `false` at the end.
    fn line(&mut self, name: &str, lines: &mut Lines<impl BufRead>, chunk: &mut Chunk) -> Result<bool, Failure> {
        let next = lines.number + 1;
        let line = lines.next().map_err(|error| Failure::new(format!("`{name}`, line {next}: {error}")))?;
        match line {
            None => return Ok(false),
            Some(Ok("")) => {}
            Some(Ok(text)) => match Record::from_json(text) {
                Ok(record) => chunk.add(record, next, text.len()),
                Err(error) => self.refuse(name, next, &Failure::from(error).to_string())?,
            },
            Some(Err(why)) => self.refuse(name, next, &why)?,
        }
        Ok(true)
    }

    /// Writes the records of a chunk that the store does not have. If the store does not accept a
    /// batch, its halves are written, until the records that it does not accept stand alone.
    async fn write(&mut self, name: &str, chunk: Chunk) -> Result<(), Failure> {
        let mut waiting = vec![chunk.records];
        while let Some(records) = waiting.pop().filter(|records| !records.is_empty()) {
            let missing = self.store.missing(records).await?;
            self.totals.stored += missing.stored as u64;
            for batch in missing.batches {
                let refused = match deliver(&self.sink, &batch).await? {
                    Outcome::Stored(refused) => {
                        self.totals.count(batch.records());
                        for (record, _) in &refused {
                            self.totals.uncount(record);
                        }
                        refused
                    }
                    Outcome::Refused(mut records, _) if records.len() > 1 => {
                        let second = records.split_off(records.len() / 2);
                        waiting.extend([second, records]);
                        Vec::new()
                    }
                    Outcome::Refused(records, why) => records.into_iter().map(|record| (record, why.clone())).collect(),
                };
                for (record, why) in refused {
                    self.refuse(name, chunk.line_of.get(&record.id()).copied().unwrap_or(0), &why)?;
                }
            }
        }
        self.bar.set_message(format!("{} records", self.totals.records + self.totals.scores));
        Ok(())
    }

    /// Reports a line that is left out.
    fn refuse(&mut self, name: &str, line: u64, why: &str) -> Result<(), Failure> {
        self.totals.bad += 1;
        let message = format!("`{name}`, line {line}: {why}");
        if self.is_strict {
            return Err(Failure::new(message));
        }
        self.bar.suspend(|| match self.totals.bad {
            ..=SHOWN => tell(message),
            bad if bad == SHOWN + 1 => tell("more lines are left out, and are only counted"),
            _ => {}
        });
        Ok(())
    }
}

impl Chunk {
    fn add(&mut self, record: Record, line: u64, bytes: usize) {
        self.line_of.entry(record.id()).or_insert(line);
        self.records.push(record);
        self.bytes += bytes;
    }

    fn is_full(&self) -> bool {
        self.records.len() >= CHUNK.0 || self.bytes >= CHUNK.1
    }
}

impl Totals {
    fn of(&mut self, record: &Record) -> &mut u64 {
        if record.event() == Event::Score { &mut self.scores } else { &mut self.records }
    }

    fn count(&mut self, records: &[Record]) {
        for record in records {
            *self.of(record) += 1;
        }
    }

    fn uncount(&mut self, record: &Record) {
        *self.of(record) -= 1;
    }

    fn write(&self) -> Result<(), Failure> {
        let Self { records, scores, stored, bad } = self;
        let mut out = Output::new().writer;
        writeln!(
            out,
            "{records} records and {scores} scores imported; {stored} were there already; {bad} lines left out"
        )?;
        Ok(out.flush()?)
    }

    fn found(&self) -> Result<Found, Failure> {
        match self {
            Self { bad: 1.., .. } => Err(Failure::new(format!("{} lines were left out", self.bad))),
            Self { records: 0, scores: 0, stored: 0, .. } => {
                Ok(Found::Nothing("there are no records to import".to_owned()))
            }
            _ => Ok(Found::Something),
        }
    }
}
