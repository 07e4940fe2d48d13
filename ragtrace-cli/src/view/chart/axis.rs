//! The axes of charts.

use maud::{Markup, html};
use ragtrace::Timestamp;

/// The height of a chart in its own units. The width depends on what it shows.
pub(super) const HEIGHT: f64 = 100.0;

/// Returns the times below a chart: its start, its middle and its end.
pub(super) fn time_axis(from: Timestamp, until: Timestamp) -> Markup {
    let middle = Timestamp::from_micros(from.as_micros().midpoint(until.as_micros()));
    let is_long = until.since(from) > std::time::Duration::from_hours(48);
    let label = |at: Timestamp| {
        let text = at.to_string();
        let shown = if is_long { text.get(5..10) } else { text.get(11..16) };
        html! { time datetime=(text) { (shown.unwrap_or_default()) } }
    };
    html! { div.x { (label(from)) (label(middle)) (label(until)) } }
}
