//! The descriptor of a log line: what its place in the source code says of it.

use std::panic::Location;

use super::FieldDescriptor;
use crate::level::Level;

/// A log line as its place in the source code declares it: known at compile time, one for each
/// place.
///
/// A line that is logged names its descriptor and carries the values of its fields, so it costs no
/// allocation without texts.
#[derive(Clone, Copy, Debug)]
pub struct LogDescriptor {
    message: &'static str,
    level: Level,
    target: &'static str,
    file: &'static str,
    line: u32,
    fields: &'static [FieldDescriptor],
}

impl LogDescriptor {
    /// Describes a line of this message without fields, at level `info`, in the place where this is
    /// called.
    #[track_caller]
    pub const fn new(message: &'static str, target: &'static str) -> Self {
        let place = Location::caller();
        Self { message, level: Level::Info, target, file: place.file(), line: place.line(), fields: &[] }
    }

    /// Describes a line of this message without fields, at level `info`, that is declared at a line
    /// of a file.
    pub const fn at(message: &'static str, target: &'static str, file: &'static str, line: u32) -> Self {
        Self { message, level: Level::Info, target, file, line, fields: &[] }
    }

    /// Sets the level.
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the declared fields. Those of [`FieldSource::Start`](super::FieldSource::Start) go to a
    /// record's `context`, numbers of the others to its `metrics`.
    pub const fn with_fields(mut self, fields: &'static [FieldDescriptor]) -> Self {
        self.fields = fields;
        self
    }

    /// Returns the message.
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Returns the level.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns the `logger` column of its records.
    pub const fn target(&self) -> &'static str {
        self.target
    }

    /// Returns the source file it is declared in.
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// Returns the line it is declared at, from 1.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the declared fields, in the order they are written.
    pub const fn fields(&self) -> &'static [FieldDescriptor] {
        self.fields
    }
}
