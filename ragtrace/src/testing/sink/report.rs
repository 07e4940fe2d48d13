//! The report of a test of a sink.

use std::fmt;

/// The result of a test of a sink: the checks, and what is wrong. Its `Display` output has a line
/// for each check.
#[derive(Clone, Debug)]
#[must_use = "the report has the result; call `assert_passed` to fail the test if a check failed"]
pub struct SinkReport {
    sink: String,
    checks: Vec<(&'static str, Vec<String>)>,
}

impl SinkReport {
    pub(super) fn new(sink: String) -> Self {
        Self { sink, checks: Vec::new() }
    }

    /// Returns the report of a test that could not run, because the system refused a thread or a
    /// runtime.
    pub(super) fn of_nothing(sink: String) -> Self {
        let mut report = Self::new(sink);
        report.add("a thread and a runtime for the test", vec!["the system refused them".to_owned()]);
        report
    }

    pub(super) fn add(&mut self, check: &'static str, faults: Vec<String>) {
        self.checks.push((check, faults));
    }

    /// Returns `true` if all checks passed.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|(_, faults)| faults.is_empty())
    }

    /// Returns everything that is wrong, each as the check and a description.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &str)> {
        self.checks.iter().flat_map(|(check, faults)| faults.iter().map(|fault| (*check, fault.as_str())))
    }

    /// Asserts that all checks passed.
    ///
    /// # Panics
    ///
    /// Panics with the report if a check failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.is_passed(), "{self}");
    }
}

impl fmt::Display for SinkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.checks.iter().filter(|(_, faults)| faults.is_empty()).count();
        writeln!(f, "sink `{}` passed {passed} of {} checks", self.sink, self.checks.len())?;
        for (check, faults) in &self.checks {
            writeln!(f, "  {}  {check}", if faults.is_empty() { "passed" } else { "FAILED" })?;
            faults.iter().try_for_each(|fault| writeln!(f, "          {fault}"))?;
        }
        Ok(())
    }
}
