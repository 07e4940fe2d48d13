//! Static descriptions of log lines.

use std::panic::Location;

use super::FieldDescriptor;
use crate::level::Level;

/// A log line's static description: its message, level, target, source location and fields.
///
/// There is one for each place in the source that logs. A log line refers to its descriptor and
/// carries only the values of its fields, so a line without text fields allocates nothing.
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
    /// Creates a descriptor with level `info` and no fields, located at the caller.
    #[track_caller]
    pub const fn new(message: &'static str, target: &'static str) -> Self {
        let place = Location::caller();
        Self { message, level: Level::Info, target, file: place.file(), line: place.line(), fields: &[] }
    }

    /// Creates a descriptor with level `info` and no fields, located at the given file and line.
    pub const fn at(message: &'static str, target: &'static str, file: &'static str, line: u32) -> Self {
        Self { message, level: Level::Info, target, file, line, fields: &[] }
    }

    /// Sets the level.
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the declared fields.
    ///
    /// Fields with the source [`FieldSource::Start`](super::FieldSource::Start) go to a record's
    /// `context`. Of the others, numbers go to its `metrics`.
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

    /// Returns the `logger` column of the line's records.
    pub const fn target(&self) -> &'static str {
        self.target
    }

    /// Returns the source file that contains the log line.
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// Returns the line number in the source file, counted from 1.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the declared fields, in the order in which they are written.
    pub const fn fields(&self) -> &'static [FieldDescriptor] {
        self.fields
    }
}
