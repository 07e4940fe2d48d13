//! Several values over time, as lines.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::Timestamp;

use super::axis::{HEIGHT, time_axis};
use super::path::{at, path};
use super::scale::Linear;
use crate::view::show;

const WIDTH: f64 = 1_000.0;

/// A line: its name, its class, and a duration for each step, where there is one.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) class: &'static str,
    pub(crate) values: Vec<Option<Duration>>,
}

/// Returns a chart of lines over the same steps, which begin at these times, and its table.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(crate) fn lines(name: &str, (steps, until): (&[Timestamp], Timestamp), lines: &[Line]) -> Markup {
    let (Some(from), true) = (steps.first(), !lines.is_empty()) else { return html! {} };
    let largest = lines.iter().flat_map(|line| &line.values).flatten().max().copied().unwrap_or_default();
    let scale = Linear::to(largest.as_secs_f64());
    let step = WIDTH / (steps.len().max(2) - 1) as f64;
    let y = |value: f64| HEIGHT - 2.0 - scale.part(value) * (HEIGHT - 4.0);
    let heights =
        |line: &Line| -> Vec<_> { line.values.iter().map(|value| Some(y(value.as_ref()?.as_secs_f64()))).collect() };
    let half = Duration::try_from_secs_f64(scale.top / 2.0).unwrap_or_default();
    html! {
        figure.chart.tall {
            figcaption.legend { @for line in lines { span { svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" { path class={ "line " (line.class) } d="M0 5h10" {} } (line.name) } } }
            div.y { span { (show::duration(half * 2)) } span { (show::duration(half)) } span { "0" } }
            svg.plot viewBox={ "0 0 " (at(WIDTH)) " " (at(HEIGHT)) } preserveAspectRatio="none" role="img" aria-label=(name) {
                @for part in [0.5, 1.0] { path.grid d={ "M0 " (at(y(scale.top * part))) "H" (at(WIDTH)) } {} }
                @for line in lines { path class={ "line " (line.class) } d=(path(&heights(line), step)) {} }
            }
            (time_axis(*from, until))
        }
        details.as-table {
            summary { "As a table" }
            div.table tabindex="0" role="region" aria-label={ (name) ", as a table" } {
                table {
                    thead { tr { th scope="col" { "From (UTC)" } @for line in lines { th.number scope="col" { (line.name) } } } }
                    tbody {
                        @for (number, from) in steps.iter().enumerate() {
                            @if lines.iter().any(|line| line.values.get(number).is_some_and(Option::is_some)) {
                                tr {
                                    td { (show::time(*from)) }
                                    @for line in lines {
                                        td.number { @match line.values.get(number).copied().flatten() { Some(value) => (show::duration(value)), None => (show::absent()) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
