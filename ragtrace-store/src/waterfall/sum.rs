//! Sums over the runs of one stage: their number, durations and outcomes.

use std::collections::HashMap;
use std::time::Duration;

use super::number::{format_cost, format_count, format_duration};
use super::paint::{Paint, mark, of_status};
use super::text::display_width;
use crate::read::{SpanNode, SpanStatus};

/// The runs of a stage at one place in the tree.
pub(super) struct Sum<'a> {
    pub(super) stage: &'a str,
    /// The number of levels below the folded runs.
    pub(super) level: usize,
    pub(super) runs: u64,
    /// The number of runs with each status, in the order of `SpanStatus::BY_WEIGHT`.
    statuses: [u64; SpanStatus::BY_WEIGHT.len()],
    /// The durations of the runs that ended.
    durations: Vec<Duration>,
    /// The total of the self times of the runs that ended.
    self_time: Duration,
    /// `true` if one of the runs is on the critical path.
    pub(super) is_on_path: bool,
    count: Option<u64>,
    cost_usd: Option<f64>,
    children: Vec<usize>,
}

/// Returns the sums of similar siblings and of their descendants, depth first: first the siblings'
/// sum, and below it one per stage in the order of first appearance.
pub(super) fn sums<'a>(siblings: &[SpanNode<'a>]) -> Vec<Sum<'a>> {
    let Some(first) = siblings.first() else { return Vec::new() };
    let mut sums = vec![Sum::new(first.stage(), 0)];
    let mut places: HashMap<(usize, &str), usize> = HashMap::new();
    // The positions of the sums of the current span and of its ancestors up to the sibling.
    let mut path = vec![0];
    for &sibling in siblings {
        sums[0].add(sibling);
        let beneath = std::iter::successors(sibling.next(), |span| span.next());
        for span in beneath.take_while(|span| span.depth() > sibling.depth()) {
            path.truncate(span.depth() - sibling.depth());
            let above = path[path.len() - 1];
            let place = *places.entry((above, span.stage())).or_insert(sums.len());
            if place == sums.len() {
                sums.push(Sum::new(span.stage(), path.len()));
                sums[above].children.push(place);
            }
            sums[place].add(span);
            path.push(place);
        }
        path.truncate(1);
    }
    depth_first(sums)
}

fn depth_first(sums: Vec<Sum<'_>>) -> Vec<Sum<'_>> {
    let mut sums: Vec<Option<Sum<'_>>> = sums.into_iter().map(Some).collect();
    let (mut ordered, mut next) = (Vec::with_capacity(sums.len()), vec![0]);
    while let Some(place) = next.pop() {
        if let Some(sum) = sums[place].take() {
            next.extend(sum.children.iter().rev());
            ordered.push(sum);
        }
    }
    for sum in &mut ordered {
        sum.durations.sort_unstable();
    }
    ordered
}

impl<'a> Sum<'a> {
    fn new(stage: &'a str, level: usize) -> Self {
        Self {
            stage,
            level,
            runs: 0,
            statuses: [0; SpanStatus::BY_WEIGHT.len()],
            durations: Vec::new(),
            self_time: Duration::ZERO,
            is_on_path: false,
            count: None,
            cost_usd: None,
            children: Vec::new(),
        }
    }

    fn add(&mut self, span: SpanNode<'a>) {
        self.runs += 1;
        for (number, status) in self.statuses.iter_mut().zip(SpanStatus::BY_WEIGHT) {
            *number += u64::from(status == span.status());
        }
        self.durations.extend(span.duration());
        self.self_time = self.self_time.saturating_add(span.self_time().unwrap_or_default());
        self.is_on_path |= span.critical_time().is_some();
        let both = |one: Option<u64>, other: u64| one.map_or(other, |one| one.saturating_add(other));
        self.count = span.count().map(|count| both(self.count, count)).or(self.count);
        self.cost_usd = span.cost_usd().map(|cost| cost + self.cost_usd.unwrap_or(0.0)).or(self.cost_usd);
    }

    /// Returns the most important status among the runs.
    pub(super) fn status(&self) -> SpanStatus {
        let statuses = SpanStatus::BY_WEIGHT.into_iter().zip(self.statuses);
        statuses.into_iter().find(|(_, number)| *number > 0).map_or(SpanStatus::Completed, |(status, _)| status)
    }

    /// Returns the total duration, or the runs' status if none has ended.
    pub(super) fn time(&self) -> String {
        if self.durations.is_empty() {
            return self.status().to_string();
        }
        let total = self.durations.iter().fold(Duration::ZERO, |total, one| total.saturating_add(*one));
        format!("Σ {}", format_duration(total))
    }

    /// Returns the total self time, if any run has ended.
    pub(super) fn self_time(&self) -> String {
        if self.durations.is_empty() { String::new() } else { format!("Σ {}", format_duration(self.self_time)) }
    }

    pub(super) fn count(&self) -> String {
        self.count.map(format_count).unwrap_or_default()
    }

    pub(super) fn cost(&self) -> String {
        self.cost_usd.map(format_cost).unwrap_or_default()
    }

    fn median(&self) -> Option<Duration> {
        self.durations.get(self.durations.len().saturating_sub(1) / 2).copied()
    }

    /// Returns the median and the slowest duration, and the numbers of runs that did not complete,
    /// each part with its colour.
    pub(super) fn statistics(&self, form: &Statistics) -> Vec<(Paint, String)> {
        let (most, and) = if form.in_signs { (" ≤", " ") } else { (" · slowest ", " · ") };
        let mut parts = Vec::new();
        if let (Some(median), Some(slowest)) = (self.median(), self.durations.last()) {
            // `{:>width$}` counts characters, and a `µ` is one column wide.
            let (median, slowest) = (format_duration(median), format_duration(*slowest));
            let text = format!("p50 {median:>0$}{most}{slowest:>1$}", form.median, form.slowest);
            parts.push((Paint::Dim, text));
        }
        for (status, number) in SpanStatus::BY_WEIGHT.into_iter().zip(self.statuses) {
            if status == SpanStatus::Completed || number == 0 {
                continue;
            }
            if !parts.is_empty() {
                parts.push((Paint::Dim, and.to_owned()));
            }
            let number = format_count(number);
            let text = if form.in_signs { format!("{}{number}", mark(status)) } else { format!("{number} {status}") };
            parts.push((of_status(status), text));
        }
        parts
    }
}

/// The form of statistics, which is the same for all sums so that they line up.
#[derive(Clone, Copy)]
pub(super) struct Statistics {
    /// Uses signs, which are shorter than words.
    in_signs: bool,
    /// The width of the median, in columns.
    median: usize,
    /// The width of the slowest duration, in columns.
    slowest: usize,
}

impl Statistics {
    /// Returns the form for a set of sums, in words.
    pub(super) fn of<'a>(sums: impl Iterator<Item = &'a Sum<'a>>) -> Self {
        let width = |time: Option<Duration>| time.map_or(0, |time| display_width(&format_duration(time)));
        let widths = sums.map(|sum| (width(sum.median()), width(sum.durations.last().copied())));
        let (median, slowest) = widths.fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)));
        Self { in_signs: false, median, slowest }
    }

    pub(super) fn in_signs(self) -> Self {
        Self { in_signs: true, ..self }
    }
}
