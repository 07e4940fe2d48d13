//! What a test of a sink found.

use std::fmt;

/// The result of a test of a sink: what was tried, and what is wrong. It prints a line for each.
#[derive(Clone, Debug)]
#[must_use = "it says whether the sink is right; `assert_passed` fails a test if it is not"]
pub struct SinkReport {
    sink: String,
    checks: Vec<(&'static str, Vec<String>)>,
}

impl SinkReport {
    pub(super) fn new(sink: String) -> Self {
        Self { sink, checks: Vec::new() }
    }

    /// A report of a test that the system had no room for.
    pub(super) fn of_nothing(sink: String) -> Self {
        let mut report = Self::new(sink);
        report.add("a thread and a runtime for the test", vec!["the system refused them".to_owned()]);
        report
    }

    pub(super) fn add(&mut self, check: &'static str, faults: Vec<String>) {
        self.checks.push((check, faults));
    }

    /// Returns true if nothing is wrong.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|(_, faults)| faults.is_empty())
    }

    /// Returns what is wrong: what was tried, and what happened.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &str)> {
        self.checks.iter().flat_map(|(check, faults)| faults.iter().map(|fault| (*check, fault.as_str())))
    }

    /// Fails the test if something is wrong, and prints the report then.
    ///
    /// # Panics
    ///
    /// If something is wrong.
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
