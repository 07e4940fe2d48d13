//! Cells that the page of all stages and the page of one share.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace_store::StageStats;

use crate::view::params::{Params, encoded};
use crate::view::show;

/// The longest name in the address of a stage's page, in bytes, each of which may become three.
const LONGEST: usize = 1_024;

/// Returns the address of a stage's page, with the period of these parameters.
pub(super) fn href(stage: &str, params: &Params) -> String {
    let mut period = Params::default();
    for name in ["since", "until"] {
        period = period.with(name, params.get(name));
    }
    // A name that no address can hold has no page of its own.
    let path = if stage.len() > LONGEST { "/stages".to_owned() } else { format!("/stages/{}", encoded(stage)) };
    period.href(&path)
}

/// Returns the share of failed runs.
pub(super) fn errors(stats: &StageStats) -> Markup {
    if stats.failed() == 0 {
        return show::absent();
    }
    let title = format!("{} of {} runs failed", show::count(stats.failed()), show::count(stats.runs()));
    html! { span.status-failed title=(title) { (show::percent(stats.error_rate())) } }
}

pub(super) fn quantile(stats: &StageStats, q: f64) -> Markup {
    match stats.quantile(q) {
        Some(duration) => html! { (show::duration(duration)) },
        None => show::absent(),
    }
}

/// The fewest runs on both sides of a comparison. Fewer tell little.
const FEWEST: u64 = 5;
/// The change up to which a trend counts as none.
const STEADY: f64 = 0.1;

/// Returns how the 95th percentile has changed from the period before.
pub(super) fn trend(now: &StageStats, before: Option<&StageStats>) -> Markup {
    let enough = before.filter(|before| before.runs() >= FEWEST && now.runs() >= FEWEST);
    let p95 = |stats: &StageStats| stats.quantile(0.95).filter(|p95| !p95.is_zero());
    let both = enough.and_then(|before| p95(now).zip(p95(before)));
    let Some((now, before)) = both else {
        return html! { span.absent title="There are too few runs to compare" { "–" } };
    };
    let change = now.as_secs_f64() / before.as_secs_f64() - 1.0;
    let title = format!("p95 {} before, {} now", show::duration(before), show::duration(now));
    match change {
        steady if steady.abs() < STEADY => html! { span.muted title=(title) { "steady" } },
        slower if slower > 0.0 => html! { span.status-failed title=(title) { "▲ " (times(now, before, slower)) } },
        faster => html! { span.status-completed title=(title) { "▼ " (show::percent(-faster)) } },
    }
}

fn times(now: Duration, before: Duration, change: f64) -> String {
    if change < 1.0 {
        show::percent(change)
    } else {
        format!("×{}", show::number(now.as_secs_f64() / before.as_secs_f64()))
    }
}
