//! Numbers and paths for attributes of SVG.

/// Returns a path through points at steps of the same width. An absent point interrupts it, and one
/// without neighbours is a dot.
#[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
pub(super) fn path(heights: &[Option<f64>], step: f64) -> String {
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
pub(super) fn at(number: f64) -> String {
    let text = format!("{:.2}", if number.is_finite() { number } else { 0.0 });
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
