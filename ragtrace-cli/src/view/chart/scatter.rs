//! Durations over time, as dots. A dot is a link to what it stands for.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::Timestamp;

use super::axis::{HEIGHT, time_axis};
use super::path::at;
use super::scale::Logarithmic;
use crate::view::show;

const WIDTH: f64 = 1_000.0;

/// A dot: when, how long, of which class, its words, and where it leads.
pub(crate) struct Dot {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    pub(crate) class: &'static str,
    pub(crate) words: String,
    pub(crate) href: String,
}

/// Returns a chart of dots. The table of the rows they stand for is on the same page, so the dots
/// themselves are left out of the order of the tab key.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(crate) fn scatter(name: &str, dots: &[Dot]) -> Markup {
    let times = || dots.iter().map(|dot| dot.at);
    let (Some(from), Some(until)) = (times().min(), times().max()) else { return html! {} };
    let seconds = || dots.iter().map(|dot| dot.took.as_secs_f64());
    let scale = Logarithmic::between(seconds().fold(f64::MAX, f64::min), seconds().fold(0.0, f64::max));
    let length = until.since(from).as_micros().max(1) as f64;
    let x = |dot: &Dot| (dot.at.since(from).as_micros() as f64 / length).mul_add(WIDTH - 12.0, 6.0);
    let y = |value: f64| HEIGHT - scale.part(value) * (HEIGHT - 8.0) - 4.0;
    let label = |value: f64| show::duration(Duration::try_from_secs_f64(value).unwrap_or_default());
    html! {
        figure.chart {
            figcaption.aside-text { (name) }
            div.y { span { (label(scale.top)) } span { (label(scale.bottom)) } }
            svg.plot viewBox={ "0 0 " (at(WIDTH)) " " (at(HEIGHT)) } preserveAspectRatio="none" role="group" aria-label=(name) {
                @for power in scale.powers() {
                    path.grid d={ "M0 " (at(y(power))) "H" (at(WIDTH)) } {}
                }
                @for dot in dots {
                    a href=(dot.href) tabindex="-1" aria-label=(dot.words) {
                        title { (dot.words) }
                        path class={ "dot " (dot.class) } d={ "M" (at(x(dot))) " " (at(y(dot.took.as_secs_f64()))) "h.01" } {}
                    }
                }
            }
            (time_axis(from, until))
        }
    }
}
