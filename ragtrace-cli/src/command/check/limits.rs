//! The limits from which on an account is wrong.

use std::time::Duration;

use crate::arguments::duration;

#[derive(clap::Args)]
#[expect(clippy::struct_field_names, reason = "the options are named like that")]
pub(super) struct Limits {
    /// Longest time that records may wait for their delivery, such as `90s` or `10m`.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse)]
    max_age: Duration,
    /// Largest number of records of one sink that may wait, in memory or on disk.
    #[arg(long, value_name = "NUMBER", default_value = "100000")]
    max_waiting: u64,
    /// Largest number of records of one sink on disk.
    #[arg(long, value_name = "NUMBER", default_value = "50000")]
    max_spooled: u64,
    /// Largest number of records that a sink may have refused for good.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    max_dead_letters: u64,
    /// Largest number of records that the process may have dropped since its start.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    max_dropped: u64,
}

/// The account of one sink, as far as it is known.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) age: Option<Duration>,
    /// Records in memory and on disk.
    pub(super) records: u64,
    pub(super) spooled: u64,
    pub(super) dead_letters: u64,
    pub(super) dropped: u64,
}

impl Limits {
    /// Returns what is over a limit.
    pub(super) fn exceeded(&self, waiting: &Waiting) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(age) = waiting.age.filter(|age| *age > self.max_age) {
            let (age, limit) = (duration::short(age), duration::short(self.max_age));
            found.push(format!("the oldest records have been waiting for {age} (limit {limit})"));
        }
        let counts = [
            (waiting.records, self.max_waiting, "records wait"),
            (waiting.spooled, self.max_spooled, "records wait on disk"),
            (waiting.dead_letters, self.max_dead_letters, "records were refused for good: see `ragtrace spool ls`"),
            (waiting.dropped, self.max_dropped, "records were dropped since the start of the process"),
        ];
        found.extend(counts.iter().filter(|(number, most, _)| number > most).map(|(number, most, what)| {
            let limit = if *most > 0 { format!(" (limit {most})") } else { String::new() };
            format!("{number} {what}{limit}")
        }));
        found
    }
}
