//! Looks again and again for new errors.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace_store::{ErrorGroup, LogFilter, LogStore, StoreError, printable};

use super::groups;
use crate::output::interrupt::unless_interrupted;
use crate::output::list;
use crate::output::{Failure, Format, Found, Output, is_stdout_closed, tell};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// The pause between two checks if anybody still reads the output.
const BLINK: Duration = Duration::from_millis(200);

/// The stage, type and message of a group, by which it is recognized.
type Key = (Option<String>, Option<String>, String);

/// A watch over the errors that a filter selects.
pub(super) struct Watch<'a> {
    store: &'a LogStore,
    filter: LogFilter,
    limit: usize,
    format: Format,
    /// The numbers of errors that were written, by group.
    counts: HashMap<Key, u64>,
    /// `true` if the last query failed.
    is_lost: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(store: &'a LogStore, filter: LogFilter, limit: usize, format: Format) -> Self {
        let format = if format == Format::Json { Format::Jsonl } else { format };
        Self { store, filter, limit, format, counts: HashMap::new(), is_lost: false }
    }

    /// Runs until Ctrl-C is pressed, or nobody reads the output any more.
    pub(super) async fn run(mut self) -> Result<Found, Failure> {
        let done = unless_interrupted(async {
            while !is_stdout_closed() {
                self.look().await?;
                let mut left = PAUSE;
                while !left.is_zero() && !is_stdout_closed() {
                    tokio::time::sleep(BLINK).await;
                    left = left.saturating_sub(BLINK);
                }
            }
            Ok(Found::Something)
        });
        match done.await? {
            // That is how a watch is meant to end.
            Found::Interrupted => Ok(Found::Something),
            done => Ok(done),
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        match self.store.error_groups(self.filter.clone()).await {
            Ok(found) => {
                if std::mem::take(&mut self.is_lost) {
                    tell("the store answers again");
                }
                let shown = &found.groups()[..self.limit.min(found.groups().len())];
                let is_screen = self.format == Format::Table && io::stdout().is_terminal();
                if is_screen {
                    redraw(shown)?;
                } else {
                    self.write_changes(shown)?;
                }
                Ok(())
            }
            Err(error) if error.is_retryable() => {
                self.note_lost(error);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tells, once, that the store cannot be read.
    fn note_lost(&mut self, error: StoreError) {
        if !std::mem::replace(&mut self.is_lost, true) {
            tell(format_args!("{}; waiting for the store", Failure::from(error)));
        }
    }

    /// Writes a line for each group that is new or has grown.
    fn write_changes(&mut self, shown: &[ErrorGroup]) -> io::Result<()> {
        let mut output = Output::new();
        for group in shown {
            let key =
                (group.stage().map(str::to_owned), group.error_type().map(str::to_owned), group.message().to_owned());
            let before = self.counts.insert(key, group.count());
            if before.is_some_and(|before| before >= group.count()) {
                continue;
            }
            match self.format {
                Format::Table => line(&mut output, group, before.unwrap_or(0))?,
                Format::Json | Format::Jsonl => writeln!(output.writer, "{}", group.to_json())?,
            }
        }
        output.writer.flush()
    }
}

/// Writes a group on one line: when it was last seen, and by how much it has grown to how many.
fn line(output: &mut Output, group: &ErrorGroup, before: u64) -> io::Result<()> {
    let (at, more, all) = (list::time(group.last_seen()), group.count() - before, group.count());
    let stage = group.stage().map(|stage| format!("{}: ", printable(stage))).unwrap_or_default();
    let about = groups::about(group);
    let trace = group.example().map(|id| format!(" trace={id}")).unwrap_or_default();
    writeln!(output.writer, "{at} +{more} = {all} {stage}{}{trace}", printable(&about))
}

/// Clears the screen, and shows all groups.
fn redraw(shown: &[ErrorGroup]) -> io::Result<()> {
    let mut output = Output::new();
    write!(output.writer, "\x1b[H\x1b[2J")?;
    let errors: u64 = shown.iter().map(ErrorGroup::count).sum();
    let at = list::time(Timestamp::now());
    writeln!(output.writer, "{at}: {errors} errors in {} groups; Ctrl-C ends\n", shown.len())?;
    if shown.is_empty() {
        return output.writer.flush();
    }
    groups::write(&mut output, Format::Table, shown)
}
