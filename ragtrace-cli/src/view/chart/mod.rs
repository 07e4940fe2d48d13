//! Charts as SVG, written on the server.
//!
//! Sizes are attributes, since the content security policy forbids `style`. A chart is stretched to
//! the width of the page, so its texts are HTML beside it, and its lines and dots keep their
//! thickness (`vector-effect`). Each chart has its numbers as a table too, for those who read them
//! or cannot see it.

mod histogram;
mod lines;
mod scale;
mod scatter;
mod spark;

pub(crate) use histogram::{Bar, histogram};
pub(crate) use lines::{Line, lines};
pub(crate) use scatter::{Dot, scatter};
pub(crate) use spark::spark;

use maud::{Markup, html};
use ragtrace::Timestamp;

/// The height of a chart in its own units. The width depends on what it shows.
const HEIGHT: f64 = 100.0;

/// Returns the times below a chart: its start, its middle and its end.
fn time_axis(from: Timestamp, until: Timestamp) -> Markup {
    let middle = Timestamp::from_micros(from.as_micros().midpoint(until.as_micros()));
    let is_long = until.since(from) > std::time::Duration::from_hours(48);
    let label = |at: Timestamp| {
        let text = at.to_string();
        let shown = if is_long { text.get(5..10) } else { text.get(11..16) };
        html! { time datetime=(text) { (shown.unwrap_or_default()) } }
    };
    html! { div.x { (label(from)) (label(middle)) (label(until)) } }
}

/// Returns a path through points at steps of the same width. An absent point interrupts it, and one
/// without neighbours is a dot.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
fn path(heights: &[Option<f64>], step: f64) -> String {
    let (mut path, mut is_pen_down) = (String::new(), false);
    for (number, height) in heights.iter().enumerate() {
        if let Some(y) = height {
            let is_alone = !is_pen_down && heights.get(number + 1).is_none_or(Option::is_none);
            let (pen, end) = (if is_pen_down { "L" } else { "M" }, if is_alone { "h.01" } else { "" });
            path.extend([pen, &at(step * number as f64), " ", &at(*y), end]);
        }
        is_pen_down = height.is_some();
    }
    path
}

/// Returns a number for an attribute of SVG.
fn at(number: f64) -> String {
    let text = format!("{:.2}", if number.is_finite() { number } else { 0.0 });
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
