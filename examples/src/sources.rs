//! Finds what the arguments of the program `ingest` name: the documents, standard input, and the
//! stored documents that are gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::blocking;
use crate::discover::{Found, discover_by};
use crate::document::Format;
use crate::gone::gone;
use crate::options::Options;
use crate::parse::Reading;
use crate::source::Source;
use crate::stdin::StandardInput;
use crate::store::Known;

/// The sources of a run.
#[derive(Debug)]
pub struct Sources {
    /// The documents to ingest.
    pub documents: Vec<Source>,
    /// The files that were found, and those that were not.
    pub found: Found,
    /// The stored documents that are gone, in the form of
    /// [`path_text`](crate::document::path_text).
    pub gone: Vec<String>,
    /// The file with the bytes of standard input, for as long as it is read.
    input: Option<StandardInput>,
}

impl Sources {
    /// Walks the named folders, and reads standard input if it is named. `known` are the stored
    /// documents.
    pub async fn find(options: &Options, reading: &Reading, known: &BTreeMap<String, Known>) -> io::Result<Self> {
        let is_input = |path: &&PathBuf| path.as_path() == Path::new("-");
        let paths: Vec<PathBuf> = options.paths.iter().filter(|path| !is_input(path)).cloned().collect();
        let stored: Vec<String> = known.keys().cloned().collect();
        let rules = options.rules(reading);
        let (found, gone) = blocking::run(move || {
            let found = discover_by(&rules, &paths);
            let gone = gone(&paths, &rules, &found, &stored);
            (found, gone)
        })
        .await;
        let mut sources =
            Self { documents: found.documents.iter().map(Source::from).collect(), found, gone, input: None };
        if options.paths.iter().any(|path| is_input(&path)) {
            sources.add_input(options, reading).await?;
        }
        Ok(sources)
    }

    async fn add_input(&mut self, options: &Options, reading: &Reading) -> io::Result<()> {
        let source = |path: &Path| Source::stream(path, options.input_name());
        let format = source(Path::new("")).format.unwrap_or(Format::Text);
        let input = StandardInput::keep(reading.max_bytes(format)).await?;
        self.documents.push(source(input.path()));
        self.input = Some(input);
        Ok(())
    }
}
