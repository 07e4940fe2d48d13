//! What is known of a stage when it is compiled.

use std::panic::Location;

use super::StageKind;
use crate::level::Level;

/// A stage as its attribute declares it: known at compile time, one for each annotated function.
///
/// `#[traced_stage(descriptor = CHUNKING)]` puts one beside the function, for typed reads and
/// tests. Two descriptors are the same stage when their names are equal.
#[derive(Clone, Copy, Debug)]
// The layout is that of the catalog's section.
#[repr(C)]
pub struct StageDescriptor {
    name: &'static str,
    target: &'static str,
    file: &'static str,
    fields: &'static [FieldDescriptor],
    /// A reference to the text, which is half as large as the text's own: few stages have one, and
    /// all have the place.
    renamed_from: Option<&'static &'static str>,
    line: u32,
    kind: StageKind,
    level: Level,
    marks: u8,
    /// How long the longest name of a field is, in bytes; 255 stands for all that are longer.
    longest_name: u8,
}

/// Each run starts a new trace.
const ROOT: u8 = 1;
/// There are fields for `record!`; they come last.
const RECORDS: u8 = 2;
/// It uses or generates items.
const ITEMS: u8 = 4;
/// Its runs are requests, and its records have their messages.
const HTTP: u8 = 8;

impl StageDescriptor {
    /// Describes a stage of kind `task` and level `info`, declared at the call. The attribute calls
    /// this.
    #[track_caller]
    pub const fn new(name: &'static str, target: &'static str) -> Self {
        Self::at(name, target, Location::caller())
    }

    /// Describes a stage that is declared at `location`.
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

    /// Returns the descriptor of another stage, which is like this one but for its name.
    pub(super) const fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Has its records bear the messages of a request: `http_request_received` and so on.
    #[doc(hidden)]
    pub const fn with_http_messages(mut self) -> Self {
        self.marks |= HTTP;
        self
    }

    /// Sets the kind.
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

    /// Sets the name that the stage had before, by which typed reads find its older rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace_core::StageDescriptor;
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

    /// Returns the stage's name, as in the `stage` column.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the name that the stage had before, if `renamed_from` gives one.
    pub const fn renamed_from(&self) -> Option<&'static str> {
        match self.renamed_from {
            Some(name) => Some(*name),
            None => None,
        }
    }

    /// Returns the kind.
    pub const fn kind(&self) -> StageKind {
        self.kind
    }

    /// Returns the level of its started and completed records.
    #[inline]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Returns the `logger` column of its records: a module path unless the attribute says
    /// otherwise.
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

    /// Returns the fields it declares, the types of its items among them: those of the start, of
    /// the success, of the error, and those that its body adds.
    pub const fn fields(&self) -> &'static [FieldDescriptor] {
        self.fields
    }

    /// Returns true if it declares fields that its body adds.
    #[inline]
    pub(crate) const fn declares_records(&self) -> bool {
        self.marks & RECORDS != 0
    }

    /// Returns true if it declares items that it uses or generates.
    #[doc(hidden)]
    #[inline]
    pub const fn has_items(&self) -> bool {
        self.marks & ITEMS != 0
    }

    /// Returns true if its records have the messages of requests.
    #[doc(hidden)]
    #[inline]
    pub const fn has_http_messages(&self) -> bool {
        self.marks & HTTP != 0
    }

    /// Returns true if each run starts a new trace, even inside one.
    #[inline]
    pub const fn is_root(&self) -> bool {
        self.marks & ROOT != 0
    }

    /// Returns the length of the longest name of a field, in bytes, up to 255.
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

/// A field that a stage declares, or a type of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FieldDescriptor {
    name: &'static str,
    ty: Option<&'static str>,
    source: FieldSource,
}

impl FieldDescriptor {
    /// Declares a field of the start: it is read when the stage starts. The attribute calls this,
    /// and the like.
    pub const fn start(name: &'static str) -> Self {
        Self { name, source: FieldSource::Start, ty: None }
    }

    /// Declares a field of the success value.
    pub const fn ok(name: &'static str) -> Self {
        Self { name, source: FieldSource::Ok, ty: None }
    }

    /// Declares a field of the error.
    pub const fn err(name: &'static str) -> Self {
        Self { name, source: FieldSource::Err, ty: None }
    }

    /// Declares a field of type `ty` that the body adds.
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

    /// Returns the part of the attribute that declares it.
    pub const fn source(&self) -> FieldSource {
        self.source
    }

    /// Returns whether it is a type of items.
    pub(super) const fn is_of_items(&self) -> bool {
        matches!(self.source, FieldSource::Used | FieldSource::Generated)
    }

    /// Returns its type as written, where one is written.
    pub const fn ty(&self) -> Option<&'static str> {
        self.ty
    }
}

/// The part of the attribute that declares a field.
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
    /// `used(…)`: a type of the items that the stage works on.
    Used,
    /// `generated(…)`: a type of the items that it makes or finds.
    Generated,
}
