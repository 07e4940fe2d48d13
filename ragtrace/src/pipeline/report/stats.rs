//! The account of records: how many were delivered, kept and lost.

use std::fmt;

use ragtrace_core::Level;

/// The account of one sink. At every reading
/// `accepted + recovered = delivered + spooled + dead_lettered + dropped + pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// The sink's name.
    pub name: String,
    /// Records that the pipeline took in for the sink.
    pub accepted: u64,
    /// Records that an earlier process left behind and this one found.
    pub recovered: u64,
    /// Records that arrived.
    pub delivered: u64,
    /// Records kept on disk for later.
    pub spooled: u64,
    /// Records that the backend refused for good.
    pub dead_lettered: u64,
    /// Records that were given up: no room, or no time left.
    pub dropped: u64,
    /// Why records or counts were given up, the last time.
    pub drop_reason: Option<String>,
    /// Counts that were given up, which go beside the records: finished requests, and minutes of
    /// stages.
    pub counts_dropped: u64,
    /// Records that wait or are under way.
    pub pending: u64,
}

impl SinkStats {
    /// Returns whether the account adds up.
    pub fn is_balanced(&self) -> bool {
        let left = self.accepted + self.recovered;
        left == self.delivered + self.spooled + self.dead_lettered + self.dropped + self.pending
    }
}

/// Records that no sink was offered, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped(pub(in crate::pipeline) [u64; Level::ALL.len()]);

impl Dropped {
    /// Returns those of one level.
    pub fn of(&self, level: Level) -> u64 {
        self.0[level as usize]
    }

    /// Returns all of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns these and others.
    pub(in crate::pipeline) fn plus(mut self, others: Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(number, more)| *number += more);
        self
    }

    /// Adds some of one level.
    pub(in crate::pipeline) fn add(&mut self, level: Level, number: u64) {
        self.0[level as usize] += number;
    }
}

/// The account of all records so far, from one look of the worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// One entry a sink, in the order they were set up; the console, if it is on, comes first.
    pub sinks: Vec<SinkStats>,
    /// Records of stages whose level no sink takes. Events of `tracing` that no sink takes are left
    /// out where they are logged, and are not counted.
    pub filtered: u64,
    /// Records that the sampler left out.
    pub sampled_out: u64,
    /// Records that the sampler holds until their trace is decided.
    pub held: u64,
    /// Records that no sink was offered: a full queue refused them, or nobody read them, since the
    /// time for the shutdown was over or the telemetry thread had ended. In a forked process, what
    /// was recorded there and is lost.
    pub dropped: Dropped,
    /// How often a rule of [`Redactor::rule`](crate::Redactor::rule) panicked. What it panicked
    /// over was replaced by a mark.
    pub rule_panics: u64,
    /// True in a process that was forked from the one that installed the telemetry: the worker
    /// stayed there, nothing is delivered from here, and nothing but `dropped` is counted.
    pub forked: bool,
}

impl Stats {
    /// Makes the account of a forked process, which has lost so many records, by level.
    pub(crate) fn of_forked(lost: [u64; Level::ALL.len()]) -> Self {
        Self { dropped: Dropped(lost), forked: true, ..Self::default() }
    }

    /// Returns the account of the sink of this name.
    pub fn sink(&self, name: &str) -> Option<&SinkStats> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

/// The result of a flush or a shutdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The account at its end.
    pub stats: Stats,
    /// True if everything accepted before is delivered or on disk, the dead letters included, and
    /// nothing was given up: of a flush, since the one before it; of a shutdown, since the start.
    pub complete: bool,
}

impl fmt::Display for Report {
    /// Writes one line: `sqlite: 42 delivered; console: 41 delivered, 1 dropped (dropped: too many
    /// records wait for it)`, or, in a forked process, what it has lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stats.forked {
            let lost = self.stats.dropped.total();
            return write!(f, "{lost} lost in a process that was forked: call `install()` in it, too");
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
        assert_eq!(forked.to_string(), "3 lost in a process that was forked: call `install()` in it, too");
    }
}
