//! Kinds of stages.

use std::fmt;
use std::str::FromStr;

use crate::parse::ParseError;

macro_rules! kinds {
    ($($variant:ident $name:literal $doc:literal,)*) => {
        /// The kind of work that a stage does, declared with `#[traced_stage(kind = …)]`. Sinks
        /// translate it to the terms of their backend.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum StageKind {
            $(#[doc = $doc] $variant,)*
            /// Any other work. The default.
            #[default]
            Task,
        }

        impl StageKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* Self::Task];

            /// Returns the kind's name in the attribute and in records.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Task => "task",
                }
            }
        }
    };
}

kinds! {
    Pipeline "pipeline" "A whole task, such as an ingestion or a request: the parent of other stages.",
    Parse "parse" "Reads documents.",
    Chunk "chunk" "Splits documents.",
    Enrich "enrich" "Adds data to chunks that improves retrieval, such as keywords.",
    Embed "embed" "Turns text into vectors.",
    Store "store" "Writes to a database or an index.",
    Retrieve "retrieve" "Finds candidates for a query.",
    Rerank "rerank" "Sorts candidates by relevance.",
    Generate "generate" "Generates text with a model.",
    Tool "tool" "Calls a tool on a model's behalf.",
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StageKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            ParseError::new(format!("a kind of stage ({})", known.join(", ")), text)
        })
    }
}
