//! The reasons why a document, or a run, failed.

use std::error::Error;
use std::fmt;

use super::Totals;
use crate::embed::EmbedError;
use crate::parse::ParseError;
use crate::store::StoreError;

/// The error of a run in which something failed.
#[derive(Debug)]
pub struct Incomplete {
    /// The totals of the run.
    pub totals: Totals,
    /// The reason why the documents that are gone were not removed.
    pub removal: Option<IngestError>,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { ingested, unchanged, failed, .. } = self.totals;
        if self.removal.is_some() {
            return f.write_str("the documents that are gone were not removed");
        }
        let all = ingested + unchanged + failed;
        write!(f, "{failed} of {all} documents were not ingested; their own errors say why")
    }
}

impl Error for Incomplete {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.removal.as_ref().map(|cause| cause as _)
    }
}

/// The reason why a document was not ingested. Nothing of it was stored then.
#[derive(Debug)]
#[non_exhaustive]
pub enum IngestError {
    /// The file could not be read.
    Parse(ParseError),
    /// The chunks could not be embedded.
    Embed(EmbedError),
    /// The chunks could not be stored.
    Store(StoreError),
    /// A stage panicked, because of a bug in this pipeline.
    Panicked,
}

impl IngestError {
    /// Returns the kind of error in one to three words, by which the errors of many documents are
    /// summed up.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parse(cause) => cause.kind(),
            Self::Embed(_) => "not embedded",
            Self::Store(_) => "not stored",
            Self::Panicked => "crashed",
        }
    }

    /// Returns the number of requests to the embedding model after which it was given up.
    pub(super) fn requests(&self) -> Option<u32> {
        if let Self::Embed(error) = self { Some(error.requests()) } else { None }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse(_) => "parsing failed",
            Self::Embed(_) => "embedding failed",
            Self::Store(_) => "storing failed",
            Self::Panicked => "the pipeline panicked; please report this",
        })
    }
}

impl Error for IngestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Parse(cause) => Some(cause),
            Self::Embed(cause) => Some(cause),
            Self::Store(cause) => Some(cause),
            Self::Panicked => None,
        }
    }
}
