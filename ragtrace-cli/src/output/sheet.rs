//! Text in sections, wrapped to a width: a title, and below it names with their values.

use std::borrow::Cow;

use ragtrace_store::{display_width, fit, printable, wrap};

/// The indentation of what is below a title, in columns.
const INDENT: usize = 2;
/// The largest number of bytes shown of one text.
const LONGEST: usize = 65_536;

/// The lines of a text that is being written.
pub(crate) struct Sheet {
    width: usize,
    colour: bool,
    lines: Vec<String>,
}

/// A colour of a line, as the parameter of its escape sequence (ECMA-48, section 8.3.117).
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    None = 0,
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

impl Sheet {
    pub(crate) fn new(width: usize, colour: bool) -> Self {
        Self { width, colour, lines: Vec::new() }
    }

    /// Returns the lines, each with its line end.
    pub(crate) fn finish(self) -> String {
        self.lines.iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// Adds a line at the left edge, cut to the width.
    pub(crate) fn line(&mut self, colour: Colour, text: &str) {
        let line = self.painted(colour, &fit(&printable(text), self.width));
        self.lines.push(line);
    }

    /// Begins a section, behind a blank line.
    pub(crate) fn section(&mut self, title: &str) {
        self.lines.push(String::new());
        self.line(Colour::Bold, title);
    }

    /// Adds a text below the title, over as many lines as it takes.
    pub(crate) fn text(&mut self, colour: Colour, text: &str) {
        self.wrapped(colour, text, INDENT);
    }

    /// Adds names and their values. A value that does not fit behind its name goes below it.
    pub(crate) fn pairs<'t>(&mut self, pairs: impl Iterator<Item = (&'t str, Cow<'t, str>)>) {
        let pairs: Vec<_> = pairs.map(|(name, value)| (printable(name), value)).collect();
        let room = self.width.saturating_sub(INDENT);
        // A long name does not push the values of the others to the right.
        let width = |name: &str| Some(display_width(name)).filter(|width| *width <= room / 2);
        let names = pairs.iter().filter_map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in &pairs {
            let shown = printable(value);
            let is_short = display_width(name) <= names && names + 2 + display_width(&shown) <= room;
            if is_short && !value.contains('\n') {
                let pad = names - display_width(name) + 2;
                let name = self.painted(Colour::Dim, name);
                self.lines.push(format!("{:INDENT$}{name}{:pad$}{shown}", "", ""));
            } else {
                let name = self.painted(Colour::Dim, &fit(name, room));
                self.lines.push(format!("{:INDENT$}{name}", ""));
                self.wrapped(Colour::None, value, 2 * INDENT);
            }
        }
    }

    /// Adds a text behind some blanks. Its own line ends are kept.
    fn wrapped(&mut self, colour: Colour, text: &str, indent: usize) {
        let end = if text.len() > LONGEST { text.floor_char_boundary(LONGEST) } else { text.len() };
        for line in text[..end].split('\n') {
            let line = printable(line.strip_suffix('\r').unwrap_or(line));
            for part in wrap(&line, self.width.saturating_sub(indent)) {
                let part = self.painted(colour, part);
                self.lines.push(format!("{:indent$}{part}", "").trim_end().to_owned());
            }
        }
        if end < text.len() {
            let more = format!("… {} more bytes: `--format json` has them", text.len() - end);
            let more = self.painted(Colour::Dim, &fit(&more, self.width.saturating_sub(indent)));
            self.lines.push(format!("{:indent$}{more}", ""));
        }
    }

    fn painted(&self, colour: Colour, text: &str) -> String {
        match colour {
            Colour::None => text.to_owned(),
            _ if !self.colour || text.is_empty() => text.to_owned(),
            colour => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
        }
    }
}
