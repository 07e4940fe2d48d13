//! `ragtrace spool`: shows what waits in a spool.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use ragtrace::Timestamp;
use ragtrace::spool::{self, DeadLetters, SlotSink, SpoolSlot};
use ragtrace_store::printable;
use serde_json::{Value as Json, json};

use crate::arguments::{duration, setting};
use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the batches and dead letters in a spool.
    ///
    /// Running processes are not disturbed: each keeps a short account of its batches, which is at
    /// most a second old.
    #[command(after_help = "Example: ragtrace spool ls --spool /var/spool/rag-api")]
    Ls(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the spool [default: the environment variable `RAGTRACE_SPOOL`]
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(command: &Command, store: Option<&str>) -> Result<Found, Failure> {
    let Command::Ls(args) = command;
    if store.is_some() {
        return Err(Failure::new("a spool is a folder: leave out `--store`, and pass `--spool FOLDER`"));
    }
    let no_spool = || Failure::new("the spool's folder is missing: pass `--spool FOLDER`, or set RAGTRACE_SPOOL");
    let folder = setting::spool(args.spool.clone()).ok_or_else(no_spool)?;
    let contents = Contents::of(&folder)
        .map_err(|error| Failure::new(format!("the spool `{}` cannot be read: {error}", folder.display())))?;
    if contents.is_empty() && args.format != Format::Json {
        return Ok(Found::Nothing(format!("nothing waits in `{}`", folder.display())));
    }
    contents.write(args.format)?;
    Ok(if contents.is_empty() { Found::Nothing("nothing waits".to_owned()) } else { Found::Something })
}

/// Everything in a spool.
struct Contents {
    slots: Vec<SpoolSlot>,
    letters: Vec<Letters>,
    unreadable: usize,
}

/// The dead letters of one sink with one reason.
struct Letters {
    sink: String,
    reason: String,
    count: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

/// A row of the table of batches: a slot, and one of its sinks.
struct Row<'a> {
    slot: &'a SpoolSlot,
    sink: Option<&'a SlotSink>,
}

impl Contents {
    fn of(folder: &Path) -> std::io::Result<Self> {
        let letters = DeadLetters::new(folder);
        Ok(Self { slots: spool::survey(folder)?, letters: group(&letters)?, unreadable: letters.unreadable()? })
    }

    /// Returns `true` if no record waits: running processes alone do not count.
    fn is_empty(&self) -> bool {
        let is_idle = |slot: &SpoolSlot| slot.is_live && slot.set_aside.is_empty() && sinks(slot).next().is_none();
        self.letters.is_empty() && self.unreadable == 0 && self.slots.iter().all(is_idle)
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let of_slot = |slot| {
            let rows: Vec<_> = sinks(slot).map(|sink| Row { slot, sink: Some(sink) }).collect();
            if rows.is_empty() { vec![Row { slot, sink: None }] } else { rows }
        };
        self.slots.iter().flat_map(of_slot).collect()
    }

    fn write(&self, format: Format) -> Result<(), Failure> {
        let mut output = Output::new();
        match format {
            Format::Table => return self.write_tables(&mut output),
            Format::Json => writeln!(
                output.writer,
                "{}",
                json!({
                    "slots": self.slots.iter().map(slot_json).collect::<Vec<_>>(),
                    "dead_letters": self.letters.iter().map(letters_json).collect::<Vec<_>>(),
                    "unreadable_lines": self.unreadable,
                })
            )?,
            Format::Jsonl => {
                let slots = self.slots.iter().map(slot_json);
                for line in slots.chain(self.letters.iter().map(letters_json)) {
                    writeln!(output.writer, "{line}")?;
                }
            }
        }
        Ok(output.writer.flush()?)
    }

    fn write_tables(&self, output: &mut Output) -> Result<(), Failure> {
        if !self.slots.is_empty() {
            list::write(output, Format::Table, &self.rows(), &columns(), |_| String::new())?;
        }
        for slot in &self.slots {
            if let Some(why) = slot.account.as_ref().and_then(|account| account.trouble.as_deref()) {
                writeln!(output.writer, "{} cannot use the disk: {}", name(slot), printable(why))?;
            }
            for file in &slot.set_aside {
                let path = file.path.display().to_string();
                writeln!(output.writer, "set aside as damaged: {} ({} bytes)", printable(&path), file.bytes)?;
            }
        }
        if !self.letters.is_empty() {
            writeln!(output.writer, "\ndead letters, which `ragtrace replay` delivers again:")?;
            list::write(output, Format::Table, &self.letters, &LETTERS, |_| String::new())?;
        }
        if self.unreadable > 0 {
            writeln!(output.writer, "{} lines of `dead-letters.jsonl` cannot be read", self.unreadable)?;
        }
        Ok(output.writer.flush()?)
    }
}

fn sinks(slot: &SpoolSlot) -> impl Iterator<Item = &SlotSink> {
    slot.account.iter().flat_map(|account| &account.sinks)
}

/// Returns the letters by sink and reason, those with most letters first.
fn group(letters: &DeadLetters) -> std::io::Result<Vec<Letters>> {
    let mut groups: BTreeMap<(String, String), Letters> = BTreeMap::new();
    for letter in letters.read()? {
        let (sink, reason, at) = (letter.sink().to_owned(), letter.reason().to_owned(), letter.at());
        let group = groups.entry((sink.clone(), reason.clone()));
        let group = group.or_insert(Letters { sink, reason, count: 0, oldest: at, newest: at });
        group.count += 1;
        (group.oldest, group.newest) = (group.oldest.min(at), group.newest.max(at));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(groups)
}

fn columns<'a>() -> [Column<Row<'a>>; 7] {
    [
        Column::exact("slot", |row| name(row.slot)),
        Column::text("process", |row| process(row.slot)),
        Column::text("sink", |row| row.sink.map_or("-", |sink| &sink.name).to_owned()),
        Column::number("batches", |row| row.sink.map_or_else(|| "-".to_owned(), |sink| sink.batches.to_string())),
        Column::number("records", |row| row.sink.map_or_else(|| "-".to_owned(), |sink| sink.records.to_string())),
        Column::number("bytes", |row| row.sink.map_or_else(|| "-".to_owned(), |sink| sink.bytes.to_string())),
        Column::number("oldest", |row| {
            let oldest = row.sink.and_then(|sink| sink.oldest);
            oldest.map_or_else(|| "-".to_owned(), |oldest| duration::short(Timestamp::now().since(oldest)))
        }),
    ]
}

const LETTERS: [Column<Letters>; 4] = [
    Column::text("sink", |letters| letters.sink.clone()),
    Column::number("letters", |letters| letters.count.to_string()),
    Column::exact("newest", |letters| list::time(letters.newest)),
    Column::text("reason", |letters| letters.reason.clone()),
];

fn name(slot: &SpoolSlot) -> String {
    slot.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Describes the process of a slot, such as `4711 on web-1, running`.
fn process(slot: &SpoolSlot) -> String {
    let state = if slot.is_live { "running" } else { "ended" };
    match &slot.account {
        Some(account) => match &account.host {
            Some(host) => format!("{} on {host}, {state}", account.pid),
            None => format!("{}, {state}", account.pid),
        },
        None => format!("unknown, {state}"),
    }
}

fn slot_json(slot: &SpoolSlot) -> Json {
    let sink = |sink: &SlotSink| {
        json!({
            "name": sink.name, "batches": sink.batches, "records": sink.records, "bytes": sink.bytes,
            "oldest": sink.oldest.map(|at| at.to_string()),
        })
    };
    let account = slot.account.as_ref();
    let aside = slot.set_aside.iter().map(|file| {
        json!({"path": file.path.display().to_string(), "bytes": file.bytes, "at": file.at.map(|at| at.to_string())})
    });
    json!({
        "slot": name(slot),
        "live": slot.is_live,
        "as_of": account.map(|account| account.at.to_string()),
        "pid": account.map(|account| account.pid),
        "host": account.and_then(|account| account.host.as_deref()),
        "started_at": account.map(|account| account.started_at.to_string()),
        "file_bytes": slot.file_bytes,
        "sinks": sinks(slot).map(sink).collect::<Vec<_>>(),
        "undecided_traces": account.map(|account| account.undecided_traces),
        "trouble": account.and_then(|account| account.trouble.as_deref()),
        "set_aside": aside.collect::<Vec<_>>(),
    })
}

fn letters_json(letters: &Letters) -> Json {
    json!({
        "sink": letters.sink, "reason": letters.reason, "letters": letters.count,
        "oldest": letters.oldest.to_string(), "newest": letters.newest.to_string(),
    })
}
