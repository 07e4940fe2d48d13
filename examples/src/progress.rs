//! The display of a run: a bar while it goes on, a line for each failure and loss, and the tally.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, mem};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ragtrace::TraceId;
use serde_json::{Value, json};

use crate::changes::Compared;
use crate::discover::Found;
use crate::document::text_path;
use crate::ingest::{IngestError, Ingested};
use crate::report::{Tally, one_line, printable, shown};
use crate::source::Source;
use crate::sources::Sources;
use crate::stage_logs::StageLogs;

/// The form of what a run prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// A bar if standard error is a terminal, a line there for each failure and loss, and the tally
    /// on standard output.
    #[default]
    Lines,
    /// A line for each failure on standard error, and nothing else.
    Quiet,
    /// An object of JSON for each document and one for the run, each on a line of standard output.
    Json,
}

/// The display of a run.
pub struct Progress {
    output: Output,
    within: Within,
    tally: Tally,
    documents: usize,
}

impl Progress {
    /// Creates the display for the time in which the folders are walked.
    pub fn looking(output: Output) -> Self {
        let bar = ProgressBar::new_spinner().with_message("looking for documents");
        if output != Output::Lines || StageLogs::are_on_console() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { output, within: Within { bar, begun: Arc::default() }, tally: Tally::default(), documents: 0 }
    }

    /// Returns the part of the display that shows how far the reading of documents is.
    pub fn within(&self) -> Within {
        self.within.clone()
    }

    /// Shows the bar for what was found. `gone` is the number of stored documents that are gone and
    /// are not removed.
    pub fn found(&mut self, found: &mut Found, gone: usize) {
        self.documents = found.documents.len();
        self.tally.skipped = mem::take(&mut found.skipped);
        self.tally.gone = gone;
        let bar = &self.within.bar;
        bar.set_length(found.bytes);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {binary_bytes}/{binary_total_bytes}, {msg} ({elapsed})")
        {
            bar.set_style(style);
        }
        self.show();
    }

    /// Shows the outcome of a document.
    pub fn document(&mut self, source: &Source, outcome: &Result<Ingested, IngestError>) {
        self.tally.count(outcome);
        let name = source_name(source);
        match outcome {
            Ok(ingested) if self.output == Output::Lines => {
                for loss in &ingested.losses {
                    self.say(&format!("warning: {name}: {}", printable(&loss.to_string())));
                }
            }
            Ok(_) => (),
            Err(error) => self.say(&format!("error: {name}: {}", one_line(error))),
        }
        if self.output == Output::Json {
            say_json(&document_json(&name, outcome));
        }
        self.within.end(source);
        self.show();
    }

    /// Shows the number of stored documents removed.
    pub fn removed(&mut self, count: u64, gone: &[String]) {
        self.tally.removed = count;
        if self.output == Output::Json && count > 0 {
            for path in gone {
                let path = shown(&text_path(path));
                say_json(&json!({"type": "document", "path": path, "status": "removed"}));
            }
        }
    }

    /// Shows that the stored documents that are gone were not removed.
    pub fn not_removed(&mut self, error: &IngestError, gone: &[String]) {
        *self.tally.failures.entry("not removed").or_default() += gone.len();
        self.say(&format!("error: the documents that are gone were not removed: {}", one_line(error)));
    }

    /// Clears the bar, and returns the tally.
    pub fn finish(mut self) -> Tally {
        self.within.bar.finish_and_clear();
        self.tally.cancelled = self.documents.saturating_sub(self.done());
        self.tally
    }

    /// Returns the number of documents that are done.
    fn done(&self) -> usize {
        self.tally.ingested + self.tally.unchanged + self.tally.failed()
    }

    fn show(&self) {
        let (done, all, chunks) = (self.done(), self.documents, self.tally.chunks);
        self.within.bar.set_message(format!("{done}/{all} documents, {chunks} chunks"));
    }

    /// Prints a line on standard error, above the bar.
    fn say(&self, line: &str) {
        self.within.bar.suspend(|| eprintln!("{line}"));
    }
}

/// The display of how far the reading of documents is.
#[derive(Debug, Clone)]
pub struct Within {
    bar: ProgressBar,
    /// The bytes of documents being read that the bar shows as done, by their paths.
    begun: Arc<Mutex<HashMap<PathBuf, u64>>>,
}

impl Within {
    /// Shows that `done` of all `pages` of a document are read.
    pub fn pages(&self, source: &Source, done: u32, pages: u32) {
        if self.bar.is_hidden() || pages == 0 {
            return;
        }
        let part = size(&source.path).saturating_mul(done.min(pages).into()) / u64::from(pages);
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = begun.entry(source.path.clone()).or_default();
        self.bar.inc(part.saturating_sub(*shown));
        *shown = part.max(*shown);
    }

    /// Shows that a document is done.
    fn end(&self, source: &Source) {
        if !self.bar.is_hidden() {
            let shown = self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(&source.path);
            self.bar.inc(size(&source.path).saturating_sub(shown.unwrap_or(0)));
        }
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Returns the name of a source for a person.
fn source_name(source: &Source) -> String {
    if source.is_file() { shown(&source.path) } else { printable(&source.label()) }
}

/// Prints the tally of a run on standard output.
pub fn print(tally: &Tally, output: Output, trace_id: TraceId, exit_code: u8) {
    match output {
        Output::Quiet => (),
        Output::Lines => say(&tally.to_string()),
        Output::Json => say_json(&json!({
            "type": "run",
            "trace_id": trace_id.to_string(),
            "exit_code": exit_code,
            "ingested": tally.ingested,
            "unchanged": tally.unchanged,
            "removed": tally.removed,
            "failed": tally.failed(),
            "cancelled": tally.cancelled,
            "skipped": tally.skipped.values().sum::<usize>(),
            "gone": tally.gone,
            "chunks": tally.chunks,
            "failures": tally.failures,
            "warnings": tally.losses,
            "skips": tally.skipped,
        })),
    }
}

/// Prints what a run would do.
pub fn preview(compared: &Compared, sources: &Sources, prune: bool, output: Output) {
    let gone: &[String] = if prune { &sources.gone } else { &[] };
    let changed = compared.changed.iter().map(|source| (source_name(source), "to ingest"));
    let unchanged = compared.unchanged.iter().map(|(source, _)| (source_name(source), "unchanged"));
    let removed = gone.iter().map(|path| (shown(&text_path(path)), "to remove"));
    for (path, status) in changed.chain(unchanged).chain(removed) {
        match output {
            Output::Json => say_json(&json!({"type": "document", "path": path, "status": status})),
            Output::Lines if status != "unchanged" => say(&format!("{status}: {path}")),
            Output::Lines | Output::Quiet => (),
        }
    }
    let (changed, unchanged) = (compared.changed.len(), compared.unchanged.len());
    let tally =
        Tally { skipped: sources.found.skipped.clone(), gone: sources.gone.len() - gone.len(), ..Tally::default() };
    let removed = gone.len();
    match output {
        Output::Quiet => (),
        Output::Lines => {
            say(&format!("{changed} to ingest, {unchanged} unchanged, {removed} to remove"));
            for note in tally.notes() {
                say(&note);
            }
        }
        Output::Json => say_json(&json!({
            "type": "run",
            "to_ingest": changed,
            "unchanged": unchanged,
            "to_remove": removed,
            "gone": tally.gone,
            "skipped": tally.skipped.values().sum::<usize>(),
            "skips": tally.skipped,
        })),
    }
}

/// Prints a line on standard output. A closed pipe, as in `ingest … | head -1`, is not an error.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Returns the object of a document.
fn document_json(name: &str, outcome: &Result<Ingested, IngestError>) -> Value {
    match outcome {
        Ok(ingested) => json!({
            "type": "document",
            "path": name,
            "status": if ingested.unchanged { "unchanged" } else { "ingested" },
            "document": ingested.document,
            "pages": ingested.pages,
            "chunks": ingested.stored.chunks,
            "replaced": ingested.stored.replaced,
            "warnings": ingested.losses.iter().map(|loss| json!({
                "kind": loss.kind.name(),
                "page": loss.page,
                "cause": printable(&loss.cause),
            })).collect::<Vec<_>>(),
        }),
        Err(error) => json!({
            "type": "document",
            "path": name,
            "status": "failed",
            "kind": error.kind(),
            "error": one_line(error),
        }),
    }
}

/// Prints an object on a line of its own.
fn say_json(object: &Value) {
    say(&object.to_string());
}
