//! The averages of scores by name, over time.

use std::collections::BTreeMap;

use maud::{Markup, html};
use ragtrace::Value;
use ragtrace_store::ScoreRow;

use super::filter::PATH;
use crate::view::chart;
use crate::view::list;
use crate::view::params::Params;
use crate::view::period::Period;
use crate::view::show;

/// The largest number of scores that averages are taken from: the newest ones.
pub(super) const ROWS: usize = 10_000;
/// The number of steps of a small chart.
const STEPS: u32 = 32;
/// The largest number of labels of one name that are counted.
const LABELS: usize = 6;

/// The scores of one name.
#[derive(Default)]
struct Name<'a> {
    /// When and how much, where the value is a number or a flag.
    numbers: Vec<(i64, f64)>,
    is_flag: bool,
    labels: BTreeMap<&'a str, u64>,
}

/// Returns a value as a number; a flag is 0 or 1.
#[expect(clippy::cast_precision_loss, reason = "a mean")]
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::F64(number) => Some(*number),
        Value::I64(number) => Some(*number as f64),
        Value::U64(number) => Some(*number as f64),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}

pub(super) fn table(rows: &[ScoreRow], period: Period, params: &Params) -> Markup {
    let mut names: BTreeMap<&str, Name<'_>> = BTreeMap::new();
    for row in rows {
        let name = names.entry(row.name()).or_default();
        match (number(row.value()), row.value()) {
            (Some(number), value) => {
                name.is_flag |= matches!(value, Value::Bool(_));
                name.numbers.push((row.timestamp().as_micros(), number));
            }
            (None, Value::Text(label)) => *name.labels.entry(label).or_default() += 1,
            (None, _) => (),
        }
    }
    html! {
        div.table {
            table {
                caption.aside-text { "Averages by name" }
                thead { tr { th scope="col" { "Name" } th.number scope="col" { "Scores" } th.number scope="col" { "Average" } th.number scope="col" { "Least" } th.number scope="col" { "Most" } th scope="col" { "Average over time" } th scope="col" { "Labels" } } }
                tbody { @for (name, scores) in &names { (line(name, scores, period, params)) } }
            }
        }
        @if rows.len() == ROWS { p.muted { "Averages are of the newest " (show::count(ROWS as u64)) " scores." } }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn line(name: &str, scores: &Name<'_>, period: Period, params: &Params) -> Markup {
    let numbers = || scores.numbers.iter().map(|(_, number)| *number);
    let count = scores.numbers.len() as u64 + scores.labels.values().sum::<u64>();
    let mean = (!scores.numbers.is_empty()).then(|| numbers().sum::<f64>() / scores.numbers.len() as f64);
    let shown = |number: Option<f64>| match number {
        Some(number) if scores.is_flag => html! { (show::percent(number)) " true" },
        Some(number) => html! { (show::number(number)) },
        None => show::absent(),
    };
    let extreme = |number: Option<f64>| shown(number.filter(|_| !scores.is_flag));
    let mut labels: Vec<_> = scores.labels.iter().collect();
    labels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    html! {
        tr {
            td.cut { (list::only(params, PATH, ("name", name), 64)) }
            td.number { (show::count(count)) }
            td.number { (shown(mean)) }
            td.number { (extreme(numbers().reduce(f64::min))) }
            td.number { (extreme(numbers().reduce(f64::max))) }
            td { @if mean.is_some() { (chart::spark(&over_time(&scores.numbers, period), "Average over time")) } @else { (show::absent()) } }
            td {
                @if labels.is_empty() { (show::absent()) }
                @for (label, count) in labels.iter().take(LABELS) { span { (show::text(label, 24)) " " b { (show::count(**count)) } " " } }
            }
        }
    }
}

/// Returns the mean of each step of the period, where there is one.
fn over_time(numbers: &[(i64, f64)], period: Period) -> Vec<Option<f64>> {
    let step = period.step(STEPS);
    let steps = period.steps(step);
    let mut sums = vec![(0.0, 0_u32); steps.len()];
    for (at, number) in numbers {
        let after = steps.partition_point(|from| from.as_micros() <= *at);
        if let Some(sum) = after.checked_sub(1).and_then(|at| sums.get_mut(at)) {
            *sum = (sum.0 + number, sum.1 + 1);
        }
    }
    sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
}
