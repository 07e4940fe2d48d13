//! Static descriptions of stages and their fields.

use std::panic::Location;

use super::StageKind;
use crate::level::Level;

/// A stage's static description: its name, kind, level, source location and fields.
///
/// Each annotated function has one. `#[traced_stage(descriptor = CHUNKING)]` defines it as a
/// constant beside the function, for filters of a store (`LogFilter::of`) and for tests. Two
/// descriptors are equal if their names are equal.
#[derive(Clone, Copy, Debug)]
// The catalog's section depends on this layout; see `section.rs`.
#[repr(C)]
pub struct StageDescriptor {
    name: &'static str,
    target: &'static str,
    file: &'static str,
    fields: &'static [FieldDescriptor],
    /// A reference to the string instead of the string itself, to halve the size of a part that few
    /// stages use.
    renamed_from: Option<&'static &'static str>,
    line: u32,
    kind: StageKind,
    level: Level,
    marks: u8,
    /// The length of the longest field name in bytes, or 255 if it is longer.
    longest_name: u8,
}

/// Set if each run starts a new trace.
const ROOT: u8 = 1;
/// Set if there are fields for `record!`. They are the last fields.
const RECORDS: u8 = 2;
/// Set if the stage uses or generates items.
const ITEMS: u8 = 4;
/// Set if runs are HTTP requests, whose records have their own messages.
const HTTP: u8 = 8;

impl StageDescriptor {
    /// Creates a descriptor of the stage `name`, whose records have the logger `target`.
    ///
    /// The kind is `task`, the level `info`, and the source location that of the caller. The
    /// attribute generates this call.
    #[track_caller]
    pub const fn new(name: &'static str, target: &'static str) -> Self {
        Self::at(name, target, Location::caller())
    }

    /// Creates a descriptor located at `location`.
    pub(crate) const fn at(name: &'static str, target: &'static str, location: &Location<'static>) -> Self {
        let (file, line) = (location.file(), location.line());
        Self {
            name,
            renamed_from: None,
            kind: StageKind::Task,
            level: Level::Info,
            target,
            file,
            line,
            fields: &[],
            marks: 0,
            longest_name: 0,
        }
    }

    /// Replaces the name, which makes this the descriptor of another stage.
    pub(super) const fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Gives the stage's records the messages of an HTTP request, such as `http_request_received`.
    #[doc(hidden)]
    pub const fn with_http_messages(mut self) -> Self {
        self.marks |= HTTP;
        self
    }

    /// Sets the stage's kind.
    pub const fn with_kind(mut self, kind: StageKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the level of started and completed records.
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the declared fields.
    pub const fn with_fields(mut self, fields: &'static [FieldDescriptor]) -> Self {
        self.fields = fields;
        if let Some(FieldDescriptor { source: FieldSource::Record, .. }) = fields.last() {
            self.marks |= RECORDS;
        }
        let mut at = 0;
        while at < fields.len() {
            if let FieldSource::Used | FieldSource::Generated = fields[at].source {
                self.marks |= ITEMS;
            }
            let length = if fields[at].name.len() < 255 { fields[at].name.len().to_le_bytes()[0] } else { 255 };
            if length > self.longest_name {
                self.longest_name = length;
            }
            at += 1;
        }
        self
    }

    /// Makes each run start a new trace.
    pub const fn with_root(mut self) -> Self {
        self.marks |= ROOT;
        self
    }

    /// Sets the stage's previous name, so that filters of a store by this descriptor also find
    /// older records.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::StageDescriptor;
    ///
    /// const CHUNKING: StageDescriptor =
    ///     StageDescriptor::new("document_chunking", "rag.ingestion").with_renamed_from(&"chunk_document");
    ///
    /// assert_eq!(CHUNKING.renamed_from(), Some("chunk_document"));
    /// ```
    pub const fn with_renamed_from(mut self, name: &'static &'static str) -> Self {
        self.renamed_from = Some(name);
        self
    }

    /// Returns the stage's name, which is the `stage` of its records.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the stage's previous name, if `renamed_from` declares one.
    pub const fn renamed_from(&self) -> Option<&'static str> {
        match self.renamed_from {
            Some(name) => Some(*name),
            None => None,
        }
    }

    /// Returns the stage's kind.
    pub const fn kind(&self) -> StageKind {
        self.kind
    }

    /// Returns the level of the stage's started and completed records.
    #[inline]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns the logger of the stage's records: the path of the module, unless the attribute sets
    /// a target.
    pub const fn target(&self) -> &'static str {
        self.target
    }

    /// Returns the source file that declares the stage.
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// Returns the line that declares the stage, counted from 1.
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Returns the fields that the attribute declares, including item types.
    pub const fn fields(&self) -> &'static [FieldDescriptor] {
        self.fields
    }

    /// Returns `true` if the stage declares fields for `record!`.
    #[inline]
    pub(crate) const fn declares_records(&self) -> bool {
        self.marks & RECORDS != 0
    }

    /// Returns `true` if the stage declares items that it uses or generates.
    #[doc(hidden)]
    #[inline]
    pub const fn has_items(&self) -> bool {
        self.marks & ITEMS != 0
    }

    /// Returns `true` if the stage's records have the messages of an HTTP request.
    #[doc(hidden)]
    #[inline]
    pub const fn has_http_messages(&self) -> bool {
        self.marks & HTTP != 0
    }

    /// Returns `true` if each run starts a new trace, even inside another trace.
    #[inline]
    pub const fn is_root(&self) -> bool {
        self.marks & ROOT != 0
    }

    /// Returns the length of the longest field name in bytes, at most 255.
    #[doc(hidden)]
    #[inline]
    pub const fn longest_name(&self) -> u8 {
        self.longest_name
    }
}

impl PartialEq for StageDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for StageDescriptor {}

/// A field that a stage declares, or a type of items that it uses or generates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FieldDescriptor {
    name: &'static str,
    ty: Option<&'static str>,
    source: FieldSource,
}

impl FieldDescriptor {
    /// Declares a field that is read when the stage starts. The attribute generates this call and
    /// the ones below.
    pub const fn start(name: &'static str) -> Self {
        Self { name, source: FieldSource::Start, ty: None }
    }

    /// Declares a field that is read from the success value.
    pub const fn ok(name: &'static str) -> Self {
        Self { name, source: FieldSource::Ok, ty: None }
    }

    /// Declares a field that is read from the error.
    pub const fn err(name: &'static str) -> Self {
        Self { name, source: FieldSource::Err, ty: None }
    }

    /// Declares a field of type `ty` that the body adds with `record!`.
    pub const fn record(name: &'static str, ty: &'static str) -> Self {
        Self { name, source: FieldSource::Record, ty: Some(ty) }
    }

    /// Declares a type of items that the stage uses.
    pub const fn used(item_type: &'static str) -> Self {
        Self { name: item_type, source: FieldSource::Used, ty: None }
    }

    /// Declares a type of items that the stage generates.
    pub const fn generated(item_type: &'static str) -> Self {
        Self { name: item_type, source: FieldSource::Generated, ty: None }
    }

    /// Returns the field's name, or the type of the items.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the argument of the attribute that declares the field.
    pub const fn source(&self) -> FieldSource {
        self.source
    }

    /// Returns `true` if this is a type of items.
    pub(super) const fn is_of_items(&self) -> bool {
        matches!(self.source, FieldSource::Used | FieldSource::Generated)
    }

    /// Returns the field's type as written in the attribute, or `None` if none is written.
    pub const fn ty(&self) -> Option<&'static str> {
        self.ty
    }
}

/// The argument of `#[traced_stage]` that declares a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum FieldSource {
    /// `fields(…)`: read when the stage starts.
    Start,
    /// `ok(…)`: read from the success value.
    Ok,
    /// `err(…)`: read from the error.
    Err,
    /// `record(…)`: added by the body with `record!`.
    Record,
    /// `used(…)`: a type of items that the stage uses.
    Used,
    /// `generated(…)`: a type of items that the stage makes or finds.
    Generated,
}
