//! Texts that fit: escaped, cut to a width, and numbers as people read them.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Escapes what could steer a terminal instead of being shown: control characters, and the marks
/// that turn the direction of writing (Unicode Standard Annex 9, section 2).
pub fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Terminal columns.
pub(super) fn width_of(text: &str) -> usize {
    text.width()
}

/// The text, cut to at most `width` columns with an ellipsis where it is longer.
pub(super) fn fit(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    Cow::Owned(kept)
}

/// The text, its beginning cut off behind an ellipsis where it is longer: the end of a path or a
/// URL tells more.
pub(super) fn fit_end(text: &str, width: usize) -> Cow<'_, str> {
    if width_of(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut used = 1;
    let fits = |c: &(usize, char)| {
        used += c.1.width().unwrap_or(0);
        used <= width
    };
    let from = text.char_indices().rev().take_while(fits).last().map_or(text.len(), |(at, _)| at);
    Cow::Owned(format!("…{}", &text[from..]))
}

/// Three significant digits below a minute, two units above.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    if seconds < 0.000_999_5 {
        format!("{}µs", duration.as_micros())
    } else if seconds < 0.999_5 {
        three_digits(seconds * 1_000.0, "ms")
    } else if seconds < 59.95 {
        three_digits(seconds, "s")
    } else if whole < 3_600 {
        format!("{}m {:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h {:02}m", whole / 3_600, whole / 60 % 60)
    }
}

fn three_digits(number: f64, unit: &str) -> String {
    let decimals = usize::from(number < 9.995) + usize::from(number < 99.95);
    format!("{number:.decimals$}{unit}")
}

/// US dollars, with as many decimals as a small amount needs, up to six.
pub(super) fn cost(usd: f64) -> String {
    if usd == 0.0 || usd.abs() >= 1.0 {
        return format!("${usd:.2}");
    }
    let shown = format!("${usd:.6}");
    let trimmed = shown.trim_end_matches('0');
    if trimmed.len() < 5 { shown[..5].to_owned() } else { trimmed.to_owned() }
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
