//! The redactor: which fields and texts are secret, and what replaces them.

use std::borrow::Cow;
use std::fmt;

use ragtrace_core::Value;
use ragtrace_core::context::Request;

use super::rules::{MARK, Rules};
use super::scan;
use super::secret_names::{SecretNames, normalize};
use super::structured;
use crate::metrics::StageMinute;
use crate::record::RecordMut;

/// The rules that find secrets and remove them from records: built-in ones, and your own.
///
/// # What is recognized
///
/// - The value of a field whose name is that of a secret, and in texts any value that follows such
///   a name: quoted, in brackets, in a block, or plain, as written by `Debug`, JSON (also in nested
///   strings), YAML, TOML, INI, environment files, XML, SQL, URLs, headers, command lines and
///   connection strings. The text around the value stays.
/// - Names by how their words end, in any case and with any separators: `…password`, `…passwd`,
///   `…pass`, `…pwd`, `…passphrase`, `…secret`, `…token`, `…api_key`, `…access_key`, `…private_key`
///   and other keys that open something, `…credentials`, `authorization`, `cookie`, `session_id`,
///   and the signatures of presigned URLs. A name that only describes a secret is not one:
///   `token_count`, `password_length`, `has_password`. Neither is `tokens`.
/// - In structured values (`ragtrace::json`), at any depth: the whole value of a member with such a
///   name, except `true`, `false` and `null`; the `value`, `val` or `default` of an object whose
///   `name`, `key`, `header` or similar member is such a name; the second of two elements in a list
///   whose first one is such a name, if it looks like a secret or the list is part of another list;
///   the element after an option such as `--password` in a list; and everything that is recognized
///   in each text by itself. The result is valid JSON.
/// - Secrets by their form: passwords in URLs, private keys in PEM and PGP armor, JSON Web Tokens,
///   the tokens of `Bearer`, and keys with the prefix of a provider, such as `sk-…` and `ghp_…`, if
///   they contain digits and do not consist of words.
///
/// # What is not recognized
///
/// - A secret without a name whose form is not known, such as a password in a sentence or in a
///   column of a table.
/// - The value after `token`, `secret`, `pass` or `credentials` and a colon, if it is not quoted
///   and may be a word of a sentence; and after any name a value that reads as a sentence, as code
///   or as a placeholder.
/// - A secret that is spread over several fields, or that is encoded or compressed as a whole, such
///   as JSON in base64.
/// - Values of fields that are not texts, such as numbers; ids of items; and the contents of images
///   and documents.
///
/// A value that must never leave the process belongs in a [`Secret`](crate::Secret).
///
/// # Examples
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
    rules: Rules,
}

impl Redactor {
    /// Creates a redactor with the built-in rules.
    pub fn new() -> Self {
        Self { rules: Rules::default() }
    }

    /// Creates a redactor without any rules, which leaves records as they are.
    ///
    /// Rules that are added to it have no effect. A [`Secret`](crate::Secret) is still recorded as
    /// a mark.
    pub fn off() -> Self {
        Self { rules: Rules { is_on: false, ..Rules::default() } }
    }

    /// Treats fields with this name as secret, and fields whose names contain it as whole words.
    ///
    /// Letter case and separators do not matter: `account.number` applies to `user_account_number`
    /// and to `accountNumber`. The name is recognized in texts too.
    pub fn key(mut self, name: impl AsRef<str>) -> Self {
        self.rules.names.added.push(normalize(name.as_ref()));
        self
    }

    /// Treats fields with exactly this name as not secret, even if a rule for names applies to
    /// them.
    ///
    /// Letter case matters. Secrets in the value that are recognized by their form are still
    /// removed.
    pub fn keep(mut self, name: impl Into<String>) -> Self {
        self.rules.names.kept.push(name.into());
        self
    }

    /// Treats words that begin with `prefix` as secret, such as the keys of an API of your own. An
    /// empty prefix is ignored.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            self.rules.prefixes.push(prefix);
        }
        self
    }

    /// Adds a rule of your own, which returns the redacted text, or `None` to leave the text as it
    /// is.
    ///
    /// The rule runs on the worker thread for every text, so it should be fast. A text on which it
    /// panics becomes the mark `[redacted]`. The panic is counted
    /// ([`Stats::rule_panics`](crate::Stats::rule_panics)) and reported on stderr at a limited
    /// rate, with its place but without its message, which may repeat the text.
    pub fn rule(mut self, rule: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.rules.add_custom(rule);
        self
    }

    /// Returns the text without its secrets, or `None` if it contains none.
    pub(crate) fn redacted(&self, text: &str) -> Option<String> {
        scan::redacted(text, &self.rules)
    }

    /// Removes the secrets from a text.
    pub(crate) fn redact(&self, text: &mut String) {
        if let Some(redacted) = self.redacted(text) {
            *text = redacted;
        }
    }

    /// Removes the secrets from a record.
    pub(crate) fn redact_record(&self, record: &mut RecordMut<'_>) {
        if !self.rules.is_on {
            return;
        }
        record.for_each_field(|(name, value)| {
            let (Value::Text(text) | Value::Json(text)) = &*value else { return };
            let is_json = matches!(value, Value::Json(_));
            if self.is_secret(name) {
                *value = Value::Text(Cow::Borrowed(MARK));
            } else if is_json && let Some(redacted) = structured::redacted(text, &self.rules) {
                *value = Value::Json(Cow::Owned(redacted));
            } else if !is_json && let Some(redacted) = self.redacted(text) {
                *value = Value::Text(Cow::Owned(redacted));
            }
        });
        if let Some(score) = record.score_mut() {
            if self.is_secret(&score.name) && score.value.as_str().is_some() {
                score.value = Value::Text(Cow::Borrowed(MARK));
            }
            if let Some(redacted) = self.redacted(&score.name) {
                score.name = redacted.into();
            }
        }
        record.for_each_text(|text| {
            if let Some(redacted) = self.redacted(text.as_str()) {
                text.replace(redacted);
            }
        });
    }

    /// Returns the request without its secrets, or `None` if it contains none.
    pub(crate) fn redacted_request(&self, request: &Request) -> Option<Request> {
        // An id that was made here has no secret that comes with the rules.
        let has_rules_of_users = !self.rules.custom.is_empty() || !self.rules.prefixes.is_empty();
        let texts = if has_rules_of_users { request.texts() } else { request.given_texts() };
        request.with_changed(texts, |id| self.redacted(id))
    }

    /// Removes secrets from the tenant of a minute's metrics.
    pub(crate) fn redact_minute(&self, minute: &mut StageMinute) {
        if let Some(redacted) = minute.tenant_id.as_deref().and_then(|tenant| self.redacted(tenant)) {
            minute.tenant_id = Some(redacted.into());
        }
    }

    /// Returns the number of panics in rules of the application.
    pub(crate) fn rule_panics(&self) -> u64 {
        self.rules.panics.number()
    }

    /// Returns `true` if the value of a field with this name is secret.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.rules.is_on && self.rules.names.contains(name)
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules { is_on, names: SecretNames { added, kept }, prefixes, custom, .. } = &self.rules;
        let mut shown = f.debug_struct("Redactor");
        shown.field("is_on", is_on).field("keys", added).field("kept", kept).field("prefixes", prefixes);
        shown.field("rules", &custom.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use ragtrace_core::TraceId;
    use ragtrace_core::context::RequestId;

    use super::*;

    /// A request with an id that was made here.
    fn fresh() -> Request {
        let mut request = Request::new(TraceId::new());
        request.request_id = Some(RequestId::fresh());
        request.user_id = Some("alice".into());
        request
    }

    #[test]
    fn rules_of_the_users_see_ids_that_were_made_here() {
        let request = fresh();
        assert!(Redactor::new().redacted_request(&request).is_none());
        let by_rule = Redactor::new().rule(|text| text.strip_prefix("req-").map(|_| "gone".to_owned()));
        let redacted = by_rule.redacted_request(&request).expect("the rule takes it");
        assert_eq!((redacted.request_id.as_deref(), redacted.user_id.as_deref()), (Some("gone"), Some("alice")));
        let by_prefix = Redactor::new().prefix("req-").redacted_request(&request).expect("so does the prefix");
        assert!(by_prefix.request_id.as_deref().is_some_and(|id| id.contains(MARK)));
    }

    #[test]
    fn a_given_id_that_is_a_secret_is_redacted() {
        let mut request = fresh();
        request.request_id = Some(RequestId::from("password=hunter2hunter2".to_owned()));
        let redacted = Redactor::new().redacted_request(&request).expect("a secret");
        assert!(!redacted.request_id.as_deref().expect("still there").contains("hunter2"));
    }
}
