//! Reads PDFs with the program `pdftotext` of Poppler, where it is installed.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::content::{Block, BlockKind, Content, Page};
use crate::document::LossKind;
use crate::parse::error::ParseError;

/// The reader of PDFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
pub enum Engine {
    /// The library of that name, which is built in.
    #[default]
    Pdfboss,
    /// The program of that name, which Poppler's packages install. It reads text only: no headings,
    /// metadata and notes.
    Pdftotext,
}

/// The most messages of the program that are read, in bytes, and that are told.
const MOST_MESSAGES: (u64, usize) = (64 << 10, 10);

/// Reads the pages of a PDF, up to `max_text` bytes of text. The program opens no file: it reads
/// from its standard input.
pub(super) fn pages(
    bytes: &[u8],
    has_password: bool,
    max_text: u64,
    on_page: &mut dyn FnMut(usize, usize),
) -> Result<Content, ParseError> {
    let said = run(bytes, max_text).map_err(ParseError::NoPdftotext)?;
    let last = said.messages.last().cloned().unwrap_or_default();
    if last.contains("Incorrect password") {
        // The program takes a password only as an argument, which every user of the machine can
        // read.
        return Err(if has_password { ParseError::PdftotextPassword } else { ParseError::EncryptedPdf });
    }
    if said.text.len() as u64 > max_text {
        return Err(ParseError::TooMuchText(max_text));
    }
    // A form feed ends each page.
    let text = String::from_utf8_lossy(&said.text);
    let Some((text, _)) = text.rsplit_once('\u{c}').filter(|_| said.success) else {
        let cause = if last.is_empty() { "it has no pages".to_owned() } else { format!("pdftotext: {last}") };
        return Err(ParseError::BrokenPdf(cause.into()));
    };
    let pages: Vec<Page> = text.split('\u{c}').map(page).collect();
    on_page(pages.len(), pages.len());
    let losses = said.messages.into_iter().take(MOST_MESSAGES.1);
    let losses = losses.map(|message| (LossKind::Stream, format!("pdftotext: {message}"))).collect();
    Ok(Content { pages, losses, ..Content::default() })
}

fn page(text: &str) -> Page {
    let block = |text: &str| Block {
        kind: BlockKind::Paragraph,
        lines: text.lines().map(|line| line.replace(char::is_control, " ")).collect(),
        size: 0.0,
        top: None,
    };
    let blocks = text.split("\n\n").filter(|text| !text.trim().is_empty()).map(block);
    Page { blocks: blocks.collect(), losses: Vec::new() }
}

/// The output of the program and its messages.
struct Said {
    text: Vec<u8>,
    /// Its messages, each once.
    messages: Vec<String>,
    success: bool,
}

fn run(bytes: &[u8], max_text: u64) -> io::Result<Said> {
    let mut command = Command::new("pdftotext");
    command.args(["-enc", "UTF-8", "-eol", "unix", "-", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let said = exchange(&mut child, bytes, max_text);
    if said.is_err() {
        // It may still write. If it cannot be ended, it has ended.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (text, messages) = said?;
    let mut told: Vec<String> = Vec::new();
    for message in String::from_utf8_lossy(&messages).lines() {
        if !told.iter().any(|other| other == message) {
            told.push(message.to_owned());
        }
    }
    Ok(Said { text, messages: told, success: status.success() })
}

/// Writes the file to the program and reads its text and its messages, at once, since each of the
/// three may wait for the others.
fn exchange(child: &mut Child, bytes: &[u8], max_text: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A program that has seen enough closes its end.
        scope.spawn(move || input.map(|mut input| input.write_all(bytes)));
        let messages = scope.spawn(move || {
            let mut messages = Vec::new();
            if let Some(mut errors) = errors {
                errors.by_ref().take(MOST_MESSAGES.0).read_to_end(&mut messages)?;
                io::copy(&mut errors, &mut io::sink())?;
            }
            io::Result::Ok(messages)
        });
        let mut text = Vec::new();
        if let Some(output) = output {
            output.take(max_text.saturating_add(1)).read_to_end(&mut text)?;
        }
        if text.len() as u64 > max_text {
            let _ = child.kill();
        }
        Ok((text, messages.join().unwrap_or_else(|_| Ok(Vec::new()))?))
    })
}
