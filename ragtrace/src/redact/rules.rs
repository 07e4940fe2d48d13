//! The rules by which something is a secret: names of fields, which count in texts, too, beginnings
//! of words, and the user's own rules.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ragtrace_core::stage::panic_hook::catch_silently;

use super::secret_names::SecretNames;
use crate::warning::RateLimitedWarning;

/// The mark that stands where a secret was.
pub(super) const MARK: &str = "[redacted]";

/// Returns what a text becomes, or `None` if it stays as it is.
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
    /// Adds a rule of the user's. A text over which it panics becomes the mark: what is in it is
    /// not known, and may be what the rule was to take out.
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

/// Counts panics of the user's rules, and has an operator hear of them.
#[derive(Default)]
pub(super) struct RulePanics {
    number: AtomicU64,
    warning: Mutex<RateLimitedWarning>,
}

impl RulePanics {
    /// Returns how many there were.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// A panic's message often repeats the text, so only its place is told.
    fn report(&self, at: Option<&str>) {
        self.number.fetch_add(1, Ordering::Relaxed);
        let mut warning = self.warning.lock().unwrap_or_else(PoisonError::into_inner);
        warning.warn(1, |times| {
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            format!("a redaction rule panicked {times}{at}: what it panics over is replaced by {MARK}")
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
