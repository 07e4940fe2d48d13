//! The counts of records: how many were delivered, kept and lost.

use std::fmt;
use std::time::Duration;

use ragtrace_core::{Level, Timestamp};

/// The counts of one sink.
///
/// At every reading, `accepted + recovered = delivered + spooled + dead_lettered + dropped +
/// pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// The name of the sink.
    pub name: String,
    /// The number of records that the pipeline accepted for the sink.
    pub accepted: u64,
    /// The number of records that were recovered from the spool of an earlier process.
    pub recovered: u64,
    /// The number of records that were delivered.
    pub delivered: u64,
    /// The number of records that are on disk for a later delivery.
    pub spooled: u64,
    /// The number of records that the backend refused for good and that are kept as dead letters.
    pub dead_lettered: u64,
    /// The number of records that were dropped, because there was no room or no time left.
    pub dropped: u64,
    /// The reason for which records or metrics were dropped the last time.
    pub drop_reason: Option<String>,
    /// The number of dropped metrics, which are not records: finished requests, and minutes of
    /// stages.
    pub counts_dropped: u64,
    /// The number of records that wait in memory or are being delivered.
    pub pending: u64,
    /// Set if the sink is parked: it delivers nothing until an operator has acted, for example
    /// corrected a key.
    pub parked: bool,
    /// Set if the last attempt failed: nothing has been delivered since.
    pub failing: bool,
    /// The time since which the oldest batch waits for its delivery, in memory or on disk; `None`
    /// if nothing waits. A batch that an earlier process left in the spool waits since that process
    /// stored it.
    pub oldest_waiting: Option<Timestamp>,
}

impl SinkStats {
    /// Returns `true` if the counts are balanced: if `accepted` and `recovered` equal the sum of
    /// the others.
    pub fn is_balanced(&self) -> bool {
        let left = self.accepted + self.recovered;
        left == self.delivered + self.spooled + self.dead_lettered + self.dropped + self.pending
    }

    /// Returns how long the oldest batch has been waiting, or zero if nothing waits.
    pub fn waiting(&self) -> Duration {
        self.oldest_waiting.map_or(Duration::ZERO, |since| Timestamp::now().since(since))
    }
}

/// The numbers of records that were lost before they reached any sink, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped(pub(in crate::pipeline) [u64; Level::ALL.len()]);

impl Dropped {
    /// Returns the number of lost records of one level.
    pub fn of(&self, level: Level) -> u64 {
        self.0[level as usize]
    }

    /// Returns the number of lost records of all levels.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns the sum of both.
    pub(in crate::pipeline) fn plus(mut self, others: Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(number, more)| *number += more);
        self
    }

    /// Adds a number of records of one level.
    pub(in crate::pipeline) fn add(&mut self, level: Level, number: u64) {
        self.0[level as usize] += number;
    }
}

/// The counts of all records so far, all taken at the same time.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let builder = ragtrace::builder().console(ragtrace::Console::Off);
/// let telemetry = builder.sink(ragtrace::sink::Discard::new()).install()?;
/// let stats = telemetry.stats();
/// let sink = stats.sink("discard").expect("the sink is installed");
/// println!("{} delivered, {} dropped, {} refused by a full queue", sink.delivered, sink.dropped, stats.dropped.total());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The counts of each sink, in the order in which the sinks were added. The console comes first
    /// if it is on.
    pub sinks: Vec<SinkStats>,
    /// The number of records of stages that no sink takes because of their level. `tracing` events
    /// that no sink takes are left out at their source and not counted.
    pub filtered: u64,
    /// The number of records that the sampler left out.
    pub sampled_out: u64,
    /// The number of records that the sampler holds until their trace is decided.
    pub held: u64,
    /// The records that were lost before they reached any sink: a full queue refused them, or
    /// nothing read them because the shutdown had timed out or the worker thread had ended. In a
    /// forked process, all records that were made there.
    pub dropped: Dropped,
    /// The number of panics in rules added with [`Redactor::rule`](crate::Redactor::rule). A text
    /// that a rule panicked on was replaced by a mark.
    pub rule_panics: u64,
    /// Set in a process that was forked from the one that installed the telemetry. The worker
    /// stayed in the parent, so nothing is delivered from the forked process, and only `dropped` is
    /// counted.
    pub forked: bool,
}

impl Stats {
    /// Returns the counts of a forked process that has lost these numbers of records, by level.
    pub(crate) fn of_forked(lost: [u64; Level::ALL.len()]) -> Self {
        Self { dropped: Dropped(lost), forked: true, ..Self::default() }
    }

    /// Returns the counts of the sink called `name`, or `None` if no such sink is installed.
    pub fn sink(&self, name: &str) -> Option<&SinkStats> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

/// The result of a flush or a shutdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The counts at the end of the flush or shutdown.
    pub stats: Stats,
    /// Set if all records accepted before are delivered or on disk, including those that became
    /// dead letters, and none was dropped: for a flush, since the previous flush; for a shutdown,
    /// since the installation.
    pub complete: bool,
}

impl fmt::Display for Report {
    /// Writes one line: `sqlite: 42 delivered; console: 41 delivered, 1 dropped (dropped: too many
    /// records are waiting for the sink)`, or in a forked process the number of lost records.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stats.forked {
            let lost = self.stats.dropped.total();
            return write!(f, "{lost} lost in a forked process: call `install()` in that process too");
        }
        for (index, sink) in self.stats.sinks.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{}: {} delivered", sink.name, sink.delivered)?;
            let rest = [
                (sink.spooled, "spooled"),
                (sink.dead_lettered, "dead-lettered"),
                (sink.dropped, "dropped"),
                (sink.pending, "pending"),
            ];
            for (number, what) in rest.into_iter().filter(|(number, _)| *number > 0) {
                write!(f, ", {number} {what}")?;
            }
            if sink.counts_dropped > 0 {
                write!(f, ", {} counts dropped", sink.counts_dropped)?;
            }
            if let Some(why) = &sink.drop_reason {
                write!(f, " (dropped: {why})")?;
            }
        }
        let of_host = [
            (self.stats.dropped.total(), "dropped by a full queue"),
            (self.stats.sampled_out, "sampled out"),
            (self.stats.held, "held by the sampler"),
            (self.stats.rule_panics, "panics of redaction rules"),
        ];
        for (number, what) in of_host.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "; {number} {what}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_line_that_names_what_there_is() {
        let sink = SinkStats { name: "sqlite".to_owned(), delivered: 42, pending: 1, ..SinkStats::default() };
        let mut report = Report { stats: Stats { sinks: vec![sink], ..Stats::default() }, complete: false };
        assert_eq!(report.to_string(), "sqlite: 42 delivered, 1 pending");
        report.stats.dropped.0[Level::Info as usize] = 3;
        (report.stats.sampled_out, report.stats.held) = (7, 2);
        let line = "sqlite: 42 delivered, 1 pending; 3 dropped by a full queue; 7 sampled out; 2 held by the sampler";
        assert_eq!(report.to_string(), line);
        let sink = &mut report.stats.sinks[0];
        (sink.dropped, sink.counts_dropped, sink.drop_reason) = (5, 2, Some("the spool is full".to_owned()));
        let line = report.to_string();
        assert!(
            line.starts_with(
                "sqlite: 42 delivered, 5 dropped, 1 pending, 2 counts dropped (dropped: the spool is full);"
            ),
            "{line}"
        );
        let forked = Report { stats: Stats::of_forked([0, 0, 2, 0, 1]), complete: false };
        assert_eq!(forked.to_string(), "3 lost in a forked process: call `install()` in that process too");
    }
}
