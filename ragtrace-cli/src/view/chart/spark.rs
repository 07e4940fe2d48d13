//! A small line beside a number, which shows how it came to be.

use maud::{Markup, html};

use super::path::{at, path};
use super::scale::Linear;

const WIDTH: f64 = 100.0;
const HEIGHT: f64 = 20.0;

/// Returns a line through values at steps of the same length. An absent value interrupts the line.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(crate) fn spark(values: &[Option<f64>], words: &str) -> Markup {
    let scale = Linear { top: values.iter().flatten().copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE) };
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let height = |value: f64| HEIGHT - 1.0 - scale.part(value) * (HEIGHT - 2.0);
    let heights: Vec<_> = values.iter().map(|value| value.map(height)).collect();
    html! {
        svg.spark viewBox={ "0 0 " (at(WIDTH)) " " (at(HEIGHT)) } preserveAspectRatio="none" role="img" aria-label=(words) {
            title { (words) }
            path d=(path(&heights, step)) {}
        }
    }
}
