//! The rules for what is secret: names of fields, which apply to texts too, prefixes of words, and
//! the application's own rules.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ragtrace_core::stage::panic_hook::catch_silently;

use super::secret_names::SecretNames;
use crate::warning::RateLimitedWarning;

/// The mark that replaces a secret.
pub(super) const MARK: &str = "[redacted]";

/// A function that returns the redacted text, or `None` to leave it as it is.
pub(super) type CustomRule = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The rules of a redactor.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) is_on: bool,
    pub(super) names: SecretNames,
    /// Words that begin with one of these are secret.
    pub(super) prefixes: Vec<String>,
    pub(super) custom: Vec<CustomRule>,
    pub(super) panics: Arc<RulePanics>,
}

impl Rules {
    /// Adds a rule of the application. A text on which it panics becomes the mark, because it may
    /// contain the secret that the rule was to remove.
    pub(super) fn add_custom(&mut self, rule: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        let panics = Arc::clone(&self.panics);
        self.custom.push(Arc::new(move |text| {
            catch_silently(|| rule(text)).unwrap_or_else(|at| {
                panics.report(at.as_deref());
                Some(MARK.to_owned())
            })
        }));
    }
}

/// Counts panics of the application's rules, and reports them to the operator.
#[derive(Default)]
pub(super) struct RulePanics {
    number: AtomicU64,
    warning: Mutex<RateLimitedWarning>,
}

impl RulePanics {
    /// Returns the number of panics.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// Reports only the place of the panic, because its message often repeats the text.
    fn report(&self, at: Option<&str>) {
        self.number.fetch_add(1, Ordering::Relaxed);
        let mut warning = self.warning.lock().unwrap_or_else(PoisonError::into_inner);
        warning.warn(1, |times| {
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            format!("a redaction rule panicked {times}{at}: the text is replaced by {MARK}")
        });
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            is_on: true,
            names: SecretNames::default(),
            prefixes: Vec::new(),
            custom: Vec::new(),
            panics: Arc::default(),
        }
    }
}
