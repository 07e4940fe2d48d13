//! The stages of two windows, side by side.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ragtrace_store::{StageStats, format_cost, format_duration};
use serde_json::json;

use super::trend::{Trend, p95_change};
use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

/// A stage, or a part of its runs, in a window and in the one before.
pub(super) struct Compared {
    pub(super) now: Option<StageStats>,
    before: Option<StageStats>,
    trend: Trend,
}

impl Compared {
    /// Returns every stage of either window: those that got slower first, by how much, then those
    /// that fail more often, and the others by name.
    pub(super) fn all(now: Vec<StageStats>, before: Vec<StageStats>) -> Vec<Self> {
        let key = |stats: &StageStats| (stats.stage().to_owned(), stats.group().map(str::to_owned));
        let mut pairs: BTreeMap<_, (Option<StageStats>, Option<StageStats>)> = BTreeMap::new();
        for stats in now {
            let pair = pairs.entry(key(&stats)).or_default();
            pair.0 = Some(stats);
        }
        for stats in before {
            let pair = pairs.entry(key(&stats)).or_default();
            pair.1 = Some(stats);
        }
        let mut all: Vec<Self> = pairs
            .into_values()
            .map(|(now, before)| Self { trend: Trend::of(now.as_ref(), before.as_ref()), now, before })
            .collect();
        all.sort_by(|one, other| one.rank().cmp(&other.rank()).then_with(|| other.by_change(one)));
        all
    }

    /// Returns the place of the trend in the list. Only what needs attention is moved to its front.
    fn rank(&self) -> Trend {
        if matches!(self.trend, Trend::Slower | Trend::MoreErrors) { self.trend } else { Trend::Steady }
    }

    fn by_change(&self, other: &Self) -> Ordering {
        match self.rank() {
            Trend::Slower => self.p95_change().unwrap_or(0.0).total_cmp(&other.p95_change().unwrap_or(0.0)),
            Trend::MoreErrors => self.error_change().unwrap_or(0.0).total_cmp(&other.error_change().unwrap_or(0.0)),
            _ => other.name().cmp(&self.name()),
        }
    }

    fn any(&self) -> Option<&StageStats> {
        self.now.as_ref().or(self.before.as_ref())
    }

    fn name(&self) -> (&str, Option<&str>) {
        self.any().map_or(("", None), |stats| (stats.stage(), stats.group()))
    }

    fn both(&self) -> Option<(&StageStats, &StageStats)> {
        self.now.as_ref().zip(self.before.as_ref())
    }

    fn p95_change(&self) -> Option<f64> {
        self.both().and_then(|(now, before)| p95_change(now, before))
    }

    fn error_change(&self) -> Option<f64> {
        self.both().map(|(now, before)| now.error_rate() - before.error_rate())
    }

    /// Returns the counts, and the comparison in `before`, `p95_change`, `error_rate_change` and
    /// `trend`.
    fn to_json(&self, is_compared: bool) -> String {
        let now = self.now.as_ref().map_or_else(|| self.silent(), StageStats::to_json);
        if !is_compared {
            return now;
        }
        let millis = |stats: &StageStats, q| stats.quantile(q).map(|at| at.as_secs_f64() * 1_000.0);
        let before = self.before.as_ref().map(|stats| {
            json!({
                "runs": stats.runs(), "error_rate": stats.error_rate(), "cancel_rate": stats.cancel_rate(),
                "cost_usd": stats.cost_usd(), "p50_ms": millis(stats, 0.5), "p95_ms": millis(stats, 0.95),
                "p99_ms": millis(stats, 0.99),
            })
        });
        let members = [
            ("before", json!(before)),
            ("p95_change", json!(self.p95_change())),
            ("error_rate_change", json!(self.error_change())),
            ("trend", json!(self.trend.as_str())),
        ];
        let members = members.map(|(name, value)| format!(",\"{name}\":{value}")).concat();
        format!("{}{members}}}", now.strip_suffix('}').unwrap_or(&now))
    }

    /// Returns the counts of a stage without runs in the window.
    fn silent(&self) -> String {
        let (stage, group) = self.name();
        let group = group.map(|group| format!(",\"group\":{}", json!(group))).unwrap_or_default();
        let kind = self.any().map_or("", StageStats::kind);
        format!(
            "{{\"stage\":{}{group},\"kind\":{},\"runs\":0,\"completed\":0,\"failed\":0,\"cancelled\":0,\"items\":0,\
            \"cost_usd\":0.0,\"error_rate\":0.0,\"cancel_rate\":0.0,\"items_per_second\":null,\"mean_ms\":0.0,\
            \"p50_ms\":null,\"p95_ms\":null,\"p99_ms\":null}}",
            json!(stage),
            json!(kind)
        )
    }
}

/// Writes the stages. `is_split` adds the column of what they are split by, and `is_compared` those
/// of the comparison.
pub(super) fn write(format: Format, rows: &[Compared], is_split: bool, is_compared: bool) -> Result<Found, Failure> {
    let mut columns = vec![Column::text("stage", |row: &Compared| row.name().0.to_owned())];
    if is_split {
        columns.push(Column::text("part", |row| row.name().1.unwrap_or("-").to_owned()));
    }
    columns.extend(COUNTS);
    if is_compared {
        columns.extend(CHANGES);
    }
    list::write(&mut Output::new(), format, rows, &columns, |row| row.to_json(is_compared))?;
    Ok(Found::Something)
}

const COUNTS: [Column<Compared>; 9] = [
    Column::number("runs", |row| of(row, |now| now.runs().to_string())),
    Column::number("failed", |row| of(row, |now| percent(now.error_rate()))),
    Column::number("cancelled", |row| of(row, |now| percent(now.cancel_rate()))),
    Column::number("items", |row| of(row, |now| now.items().to_string())),
    Column::number("items/s", |row| {
        of(row, |now| now.items_per_second().map_or_else(dash, |rate| format!("{rate:.1}")))
    }),
    Column::number("cost", |row| of(row, |now| format_cost(now.cost_usd()))),
    Column::number("p50", |row| quantile(row, 0.5)),
    Column::number("p95", |row| quantile(row, 0.95)),
    Column::number("p99", |row| quantile(row, 0.99)),
];

const CHANGES: [Column<Compared>; 3] = [
    Column::number("p95 change", |row| row.p95_change().map_or_else(dash, |change| format!("{:+.0}%", change * 100.0))),
    Column::number("failed change", |row| {
        row.error_change().map_or_else(dash, |change| format!("{:+.1}%", change * 100.0))
    }),
    Column::exact("trend", |row| row.trend.shown().to_owned()),
];

fn of(row: &Compared, text: impl FnOnce(&StageStats) -> String) -> String {
    row.now.as_ref().map_or_else(dash, text)
}

fn quantile(row: &Compared, q: f64) -> String {
    of(row, |now| now.quantile(q).map_or_else(dash, format_duration))
}

/// Formats a share of the runs.
fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

fn dash() -> String {
    "-".to_owned()
}
