//! Prints what the examples read from a document, as JSON, for `scripts/test-documents`: the text
//! of each page, the headings, the metadata and the losses.

use std::path::Path;
use std::process::ExitCode;

use ragtrace_examples::document::Document;
use ragtrace_examples::parse::{Reading, child, parse};
use ragtrace_examples::report::one_line;
use serde_json::{Value, json};

fn main() -> ExitCode {
    // As the programs do: a document is read by another process of this program.
    child::serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run())
}

async fn run() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("give the path of a document");
        return ExitCode::from(2);
    };
    match parse(Path::new(&path), &Reading::default()).await {
        Ok(document) => {
            println!("{}", read(&document));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn read(document: &Document) -> Value {
    let starts = document.page_starts.iter().copied();
    let ends = starts.clone().skip(1).chain([document.text.len()]);
    let pages: Vec<&str> = starts.zip(ends).map(|(start, end)| &document.text[start..end]).collect();
    let headings = document.headings.iter();
    let losses = document.losses.iter();
    json!({
        "pages": pages,
        "headings": headings.map(|heading| json!([heading.level, heading.start, heading.title])).collect::<Vec<_>>(),
        "metadata": document.metadata,
        "losses": losses
            .map(|loss| json!({ "page": loss.page, "kind": loss.kind.name(), "cause": loss.cause }))
            .collect::<Vec<_>>(),
    })
}
