//! Counts over time, as stacked bars. A bar is a link that narrows the time to it.

use maud::{Markup, html};
use ragtrace::Timestamp;

use super::axis::{HEIGHT, time_axis};
use super::path::at;
use super::scale::Linear;
use crate::view::show;

/// The width of a bar and of the gap after it.
const STEP: f64 = 10.0;
const WIDTH: f64 = 8.5;

/// A bar: a step of time, its counts from the bottom up, and where it leads.
pub(crate) struct Bar {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// The counts with their names, which are classes too.
    pub(crate) counts: Vec<(&'static str, u64)>,
    pub(crate) href: String,
}

impl Bar {
    fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Returns the counts in words.
    fn words(&self) -> String {
        let counts = self.counts.iter().filter(|(_, count)| *count > 0);
        let counts: Vec<_> = counts.map(|(name, count)| format!("{} {name}", show::count(*count))).collect();
        if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
    }
}

/// Returns a chart of bars, which are of the same length of time.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(crate) fn histogram(name: &str, bars: &[Bar]) -> Markup {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return html! {} };
    let scale = Linear::to(bars.iter().map(Bar::total).max().unwrap_or(0) as f64);
    let width = STEP * bars.len() as f64;
    html! {
        figure.chart {
            figcaption.aside-text { (name) }
            div.y { span { (show::number(scale.top)) } span { "0" } }
            svg.plot viewBox={ "0 0 " (at(width)) " " (at(HEIGHT)) } preserveAspectRatio="none" role="group" aria-label=(name) data-arrows {
                @for (number, bar) in bars.iter().enumerate() {
                    (column(bar, STEP * number as f64, scale, number == 0))
                }
            }
            (time_axis(first.from, last.until))
        }
        details.as-table {
            summary { "As a table" }
            div.table {
                table {
                    thead { tr { th scope="col" { "From (UTC)" } @for (name, _) in &first.counts { th.number scope="col" { (name) } } } }
                    tbody {
                        @for bar in bars.iter().filter(|bar| bar.total() > 0) {
                            tr {
                                td { a href=(bar.href) { (show::time(bar.from)) } }
                                @for (_, count) in &bar.counts { td.number { (show::count(*count)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
fn column(bar: &Bar, x: f64, scale: Linear, is_first: bool) -> Markup {
    let mut bottom = HEIGHT;
    let from = bar.from.to_string();
    let label = format!("{} UTC: {}", from.get(..16).unwrap_or(&from).replace('T', " "), bar.words());
    html! {
        // One stop for the tab key; arrow keys move on from there.
        a href=(bar.href) tabindex=(if is_first { "0" } else { "-1" }) aria-label=(label) {
            title { (label) }
            rect.hit x=(at(x)) y="0" width=(at(STEP)) height=(at(HEIGHT)) {}
            @for (class, count) in bar.counts.iter().filter(|(_, count)| *count > 0) {
                @let height = (scale.part(*count as f64) * HEIGHT).max(1.0);
                @let y = { bottom -= height; bottom };
                rect class=(class) x=(at(x)) y=(at(y)) width=(at(WIDTH)) height=(at(height)) {}
            }
        }
    }
}
