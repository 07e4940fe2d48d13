//! A secret that requests carry: its source, and how it is read.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::header::HeaderValue;

use super::blocking::OneAtATime;
use crate::quote::shown_path;

/// The largest size of a key file in bytes.
const LONGEST: u64 = 64 * 1024;

type Read = dyn Fn() -> Result<String, Box<dyn Error + Send + Sync>> + Send + Sync;

/// An API key that comes from a text, a file or a function.
///
/// The key is read before each request, on a thread other than the pipeline's. So a key can be
/// rotated while the program runs: the next request uses the new one, also that of a sink that is
/// parked because of the old key. White space around the key is ignored. `Debug` shows the key's
/// source, and not the key.
///
/// ```
/// use ragtrace_sinks::Key;
///
/// let key = Key::file("/run/secrets/datadog").named("DD_API_KEY_FILE");
/// ```
#[derive(Clone)]
pub struct Key {
    /// The name of the setting, for errors.
    name: Arc<str>,
    source: Source,
    reading: OneAtATime,
}

#[derive(Clone)]
enum Source {
    Text(Arc<str>),
    File(Arc<PathBuf>),
    Function(Arc<Read>),
}

impl Key {
    /// Creates a key from a text, which stays the same while the program runs.
    pub fn text(key: impl Into<String>) -> Self {
        Self::new(Source::Text(key.into().trim().into()))
    }

    /// Creates a key that is read from an ASCII file of at most 64 KiB.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::new(Source::File(Arc::new(path.into())))
    }

    /// Creates a key that the function `read` returns, before each request.
    ///
    /// The function may block, for example to ask a vault. If it fails or panics, the sink is
    /// parked until it returns a key.
    pub fn from_fn<E: Into<Box<dyn Error + Send + Sync>>>(
        read: impl Fn() -> Result<String, E> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Source::Function(Arc::new(move || read().map_err(Into::into))))
    }

    fn new(source: Source) -> Self {
        Self { name: "the key".into(), source, reading: OneAtATime::default() }
    }

    /// Sets the name of the setting that errors mention, such as `DD_API_KEY`.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Reads the key.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no key at the moment, or it cannot be part of a header. The
    /// message says what to do.
    pub(super) async fn read(&self) -> Result<String, String> {
        let name = &self.name;
        let key = match &self.source {
            Source::Text(key) => key.to_string(),
            Source::File(path) => {
                let (name, path) = (Arc::clone(name), Arc::clone(path));
                self.reading.call(move || of_file(&name, &path)).await.unwrap_or_else(|why| Err(why.to_string()))?
            }
            Source::Function(read) => {
                let read = Arc::clone(read);
                match self.reading.call(move || read()).await {
                    Ok(Ok(key)) => key,
                    Ok(Err(why)) => return Err(format!("{name}: it cannot be read: {why}")),
                    Err(why) => return Err(format!("{name}: it cannot be read: its function {why}")),
                }
            }
        };
        let key = key.trim();
        if key.is_empty() {
            return Err(format!("{name}: {}", self.empty()));
        }
        if key.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(format!("{name}: the key has a character that is invalid in a header: {}", self.bad()));
        }
        Ok(key.to_owned())
    }

    fn empty(&self) -> String {
        match &self.source {
            Source::Text(_) => "the key is empty: set it".to_owned(),
            Source::File(path) => format!("the file {} is empty: write the key into it", shown_path(path)),
            Source::Function(_) => "its function returned an empty key".to_owned(),
        }
    }

    fn bad(&self) -> String {
        match &self.source {
            Source::File(path) => format!("{} must have one line of ASCII", shown_path(path)),
            _ => "expected one line of ASCII".to_owned(),
        }
    }
}

fn of_file(name: &str, path: &PathBuf) -> Result<String, String> {
    let cannot = |error: std::io::Error| {
        format!("{name}: cannot read the key from {}: {}", shown_path(path), super::cause::io_message(&error))
    };
    let length = std::fs::metadata(path).map_err(cannot)?.len();
    if length > LONGEST {
        return Err(format!("{name}: the file {} is too large for a key", shown_path(path)));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|_| format!("{name}: the file {} is not UTF-8", shown_path(path)))
}

/// Creates a header's value from a secret that [`Key::read`] has validated.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self::text(key)
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self::text(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Text(_) => "a text".to_owned(),
            Source::File(path) => format!("the file {}", shown_path(path)),
            Source::Function(_) => "a function".to_owned(),
        };
        write!(f, "Key({}: from {source})", self.name)
    }
}
