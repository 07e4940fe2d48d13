//! Secrets do not leave the process.
//!
//! The worker looks at every text of a record before any sink, spool or console sees it, and before it is cut to its
//! bound. It goes by the name of a field, and by what a text looks like: bearer tokens, JSON Web Tokens, private keys,
//! the keys of clouds and model providers, credentials in URLs, `password=…` in the middle of a message. A field's name
//! is compared by whole segments: `token` and `auth.token` are secret, `input_tokens` is not. Only texts are looked at.
//!
//! This catches what looks like a secret. A value that must never leave, whatever it looks like, belongs in a
//! [`Secret`].

mod keys;
mod shapes;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::{ToValue, Value};

use crate::metrics::StageMinute;
use crate::record::Drafted;

/// What stands where a secret was.
const MARK: &str = "[redacted]";

type Rule = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What counts as a secret: the rules that come with it, and yours.
///
/// ```
/// use ragtrace::Redactor;
///
/// let redactor = Redactor::new()
///     .key("ssn")
///     .keep("next_token")
///     .prefix("acme_live_")
///     .rule(|text| text.contains("Project Bluebird").then(|| text.replace("Project Bluebird", "[project]")));
/// # let _ = ragtrace::builder().redact(redactor);
/// ```
#[derive(Clone)]
pub struct Redactor {
    is_on: bool,
    keys: Vec<String>,
    kept: Vec<String>,
    prefixes: Vec<String>,
    rules: Vec<Rule>,
}

impl Redactor {
    /// The rules that come with it.
    pub fn new() -> Self {
        Self { is_on: true, keys: Vec::new(), kept: Vec::new(), prefixes: Vec::new(), rules: Vec::new() }
    }

    /// No rules at all: records leave as they are. A [`Secret`] still shows its mark.
    pub fn off() -> Self {
        Self { is_on: false, ..Self::new() }
    }

    /// Fields with this name, or with a name that has it among its segments, are secret too: `ssn`, `account.number`.
    pub fn key(mut self, name: impl AsRef<str>) -> Self {
        self.keys.push(keys::normal(name.as_ref()));
        self
    }

    /// Fields of exactly this name are not secret, whatever their segments.
    pub fn keep(mut self, name: impl Into<String>) -> Self {
        self.kept.push(name.into());
        self
    }

    /// Words that begin with this are secret.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            self.prefixes.push(prefix);
        }
        self
    }

    /// A rule of your own: what a text becomes, or `None` if it stays as it is. It runs on the worker for every text, so it
    /// should be quick.
    pub fn rule(mut self, rule: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// A text without its secrets, or `None` if it has none.
    pub(crate) fn scrubbed(&self, text: &str) -> Option<String> {
        if !self.is_on {
            return None;
        }
        let mut scrubbed = shapes::scrub(text, self);
        for rule in &self.rules {
            scrubbed = rule(scrubbed.as_deref().unwrap_or(text)).or(scrubbed);
        }
        scrubbed
    }

    /// Takes the secrets out of a text.
    pub(crate) fn text(&self, text: &mut String) {
        if let Some(scrubbed) = self.scrubbed(text) {
            *text = scrubbed;
        }
    }

    /// Takes the secrets out of a record.
    pub(crate) fn record(&self, record: &mut Drafted<'_>) {
        if !self.is_on {
            return;
        }
        record.each_field(|(name, value)| {
            let Value::Text(text) = value else { return };
            if self.is_secret(name) {
                *text = Cow::Borrowed(MARK);
            } else if let Some(scrubbed) = self.scrubbed(text) {
                *text = Cow::Owned(scrubbed);
            }
        });
        record.texts(|text| {
            if let Some(scrubbed) = self.scrubbed(text.as_str()) {
                text.replace(scrubbed);
            }
        });
    }

    /// The request without secrets, or `None` if it has none.
    pub(crate) fn request(&self, request: &Request) -> Option<Request> {
        let ids = request.texts();
        let scrubbed = ids.map(|id| id.as_deref().and_then(|id| self.scrubbed(id)));
        if scrubbed.iter().all(Option::is_none) {
            return None;
        }
        let mut request = request.clone();
        let ids = request.texts_mut();
        for (id, scrubbed) in ids.into_iter().zip(scrubbed) {
            if let Some(scrubbed) = scrubbed {
                *id = Some(scrubbed.into());
            }
        }
        Some(request)
    }

    /// Takes the secrets out of a minute's tenant.
    pub(crate) fn minute(&self, minute: &mut StageMinute) {
        if let Some(scrubbed) = minute.tenant_id.as_deref().and_then(|tenant| self.scrubbed(tenant)) {
            minute.tenant_id = Some(scrubbed.into());
        }
    }

    /// Whether a field of this name is secret.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.is_on && keys::is_secret(name, &self.keys) && !self.kept.iter().any(|kept| kept == name)
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_on, keys, kept, prefixes, rules } = self;
        let mut shown = f.debug_struct("Redactor");
        shown.field("is_on", is_on).field("keys", keys).field("kept", kept).field("prefixes", prefixes);
        shown.field("rules", &rules.len()).finish()
    }
}

/// A value that never leaves: recorded and printed it is a mark, and its owner alone can look at it.
///
/// ```
/// use ragtrace::{Secret, ToValue};
///
/// let key = Secret::new(String::from("tops3cret"));
/// assert_eq!(format!("{key} {key:?} {}", key.to_value()), "[secret] [secret] [secret]");
/// assert_eq!(key.expose(), "tops3cret");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> ToValue for Secret<T> {
    fn to_value(&self) -> Value {
        Value::Text(Cow::Borrowed("[secret]"))
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("[secret]")
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("[secret]")
    }
}
