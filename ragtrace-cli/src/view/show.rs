//! Writes values for people: times, durations, counts, amounts, and texts that others recorded.

use std::borrow::Cow;
use std::time::Duration;

use maud::{Markup, html};
use ragtrace::{Record, SpanId, Timestamp, TraceId};
use ragtrace_store::printable;

/// Returns the start of a recorded text, at most `most` characters long, with characters that hide
/// or reorder text as escapes. Templates escape what has a meaning in HTML.
pub(crate) fn short(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => printable(text),
        Some((end, _)) => Cow::Owned(format!("{}…", printable(&text[..end]))),
    }
}

/// Returns a recorded text in a `span`, whole in its title if it is cut (up to 1,000 characters).
pub(crate) fn text(text: &str, most: usize) -> Markup {
    let shown = short(text, most);
    let is_cut = text.chars().nth(most).is_some();
    html! { span title=[is_cut.then(|| short(text, 1_000))] { (shown) } }
}

/// Returns an absent value.
pub(crate) fn absent() -> Markup {
    html! { span.absent { "–" } }
}

/// Returns a time in UTC, to the millisecond. A script adds the local time as a title.
pub(crate) fn time(at: Timestamp) -> Markup {
    let text = at.to_string();
    let (date, time) = (text.get(..10).unwrap_or(&text), text.get(11..23).unwrap_or_default());
    html! { time datetime=(text) { (date) " " (time) } }
}

/// Returns the status of a run or a trace, with a sign that does not need colour.
pub(crate) fn status(status: &str) -> Markup {
    let (class, sign) = match status {
        "completed" => ("status status-completed", "✓"),
        "failed" => ("status status-failed", "✗"),
        "cancelled" => ("status status-cancelled", "⊘"),
        "open" => ("status status-open", "…"),
        "lost" => ("status status-lost", "?"),
        _ => ("status", "·"),
    };
    html! { span class=(class) { span aria-hidden="true" { (sign) " " } (short(status, 20)) } }
}

/// Returns the error of a record on one line: its type, its message, and its sources.
pub(crate) fn error(record: &Record) -> Markup {
    let Some(error) = record.error() else { return html! { (text(&record.message(), 300)) } };
    html! {
        b { (short(error.type_name(), 80)) } ": " (text(error.message(), 300))
        @for source in error.chain().iter().take(3) { span.muted { " ↳ " (text(source, 160)) } }
    }
}

/// Returns a link to the trace of a record, and to its span there.
pub(crate) fn trace_of(record: &Record) -> Markup {
    let Some(id) = record.trace_id() else { return absent() };
    html! { (trace_link(id, record.span_id())) }
}

/// Returns a link to a trace, and to a span in it if there is one. It shows the ends of the id.
pub(crate) fn trace_link(id: TraceId, span: Option<SpanId>) -> Markup {
    let id = id.to_string();
    let href = match span {
        Some(span) => format!("/trace/{id}/span/{span}"),
        None => format!("/trace/{id}"),
    };
    html! { a.mono data-row href=(href) title=(id) { (id.get(..8).unwrap_or(&id)) "…" (id.get(id.len().saturating_sub(4)..).unwrap_or_default()) } }
}

/// Returns a bar that shows a part of a whole. The number stands beside it, so it says nothing to
/// screen readers. `class` is that of the filled part.
pub(crate) fn bar(part: f64, whole: f64, class: &str) -> Markup {
    let width = if whole > 0.0 { (part / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    // What is there at all can be seen.
    let width = if part > 0.0 { width.max(0.8) } else { width };
    html! {
        svg.bar viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest width="100" height="6" {}
            rect class=(class) width=(format!("{width:.2}")) height="6" {}
        }
    }
}

/// Returns a duration with a unit that keeps it short: `412 µs`, `84.1 ms`, `1.42 s`, `3 min 12 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 0.000_001 => format!("{} ns", duration.as_nanos()),
        _ if seconds < 0.000_999_5 => format!("{} µs", three(seconds * 1e6)),
        _ if seconds < 0.999_5 => format!("{} ms", three(seconds * 1e3)),
        _ if seconds < 59.95 => format!("{} s", three(seconds)),
        _ => {
            let whole = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
            match (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60) {
                (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
                (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
                (days, hours, ..) => format!("{} d {hours} h", count(days)),
            }
        }
    }
}

/// Returns a number from 0 to 1,000 with three digits that count.
fn three(number: f64) -> String {
    match number {
        _ if number < 9.995 => format!("{number:.2}"),
        _ if number < 99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// Returns a whole number with commas between its thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Returns an amount in US dollars: cents and more with two digits, less with those that count.
pub(crate) fn dollars(amount: f64) -> String {
    match amount.abs() {
        0.0 => "$0".to_owned(),
        tiny if tiny < 0.000_001 => "< $0.000001".to_owned(),
        small if small < 0.01 => format!("${}", format!("{amount:.6}").trim_end_matches('0')),
        some if some < 100.0 => format!("${amount:.2}"),
        // Beyond this, cents do not count.
        many if many < 1e15 => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is rounded and in range")]
            let whole = count(many.round() as u64);
            format!("{}${whole}", if amount < 0.0 { "-" } else { "" })
        }
        _ => format!("${amount:.2e}"),
    }
}

/// Returns a ratio from 0 to 1 as a percentage.
pub(crate) fn percent(ratio: f64) -> String {
    match ratio * 100.0 {
        0.0 => "0%".to_owned(),
        tiny if tiny < 0.1 => "< 0.1%".to_owned(),
        some if some < 9.95 => format!("{some:.1}%"),
        some => format!("{some:.0}%"),
    }
}

/// Returns a number with few digits, as of a rate.
pub(crate) fn number(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        small if small < 0.001 => format!("{number:.1e}"),
        some if some < 1_000.0 => three(number).trim_end_matches('0').trim_end_matches('.').to_owned(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is rounded and in range")]
        many if many < 1e15 => format!("{}{}", if number < 0.0 { "-" } else { "" }, count(many.round() as u64)),
        _ => format!("{number:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_that_count_and_a_unit() {
        let cases = [
            (0, "0 ns"),
            (412, "412 ns"),
            (41_234, "41.2 µs"),
            (999_400, "999 µs"),
            (999_600, "1.00 ms"),
            (84_100_000, "84.1 ms"),
            (999_600_000, "1.00 s"),
            (1_420_000_000, "1.42 s"),
            (59_960_000_000, "1 min 0 s"),
            (192_000_000_000, "3 min 12 s"),
            (7_500_000_000_000, "2 h 5 min"),
            (200_000_000_000_000, "2 d 7 h"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(duration(Duration::from_nanos(nanos)), expected);
        }
        assert!(duration(Duration::MAX).ends_with(" h"));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0, 999, 1_280, 1_234_567].map(count), ["0", "999", "1,280", "1,234,567"]);
        let amounts = [0.0, 0.000_000_1, 0.0021, 0.5, 12.345, 123_456.7, 1e300];
        assert_eq!(amounts.map(dollars), ["$0", "< $0.000001", "$0.0021", "$0.50", "$12.35", "$123,457", "$1.00e300"]);
        assert_eq!([0.0, 0.000_1, 0.051, 0.5, 1.0].map(percent), ["0%", "< 0.1%", "5.1%", "50%", "100%"]);
        assert_eq!(
            [0.0, 0.5, 12.0, 999.9, -1_500.0, 0.000_1].map(number),
            ["0", "0.5", "12", "1000", "-1,500", "1.0e-4"]
        );
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let _ = (dollars(odd), percent(odd), number(odd));
        }
    }

    #[test]
    fn a_recorded_text_is_cut_and_what_hides_is_shown() {
        assert_eq!(short("a\u{202e}b\u{200b}", 9), "a\\u{202e}b\\u{200b}");
        assert_eq!(short("éééé", 3), "ééé…");
        assert_eq!(text("<b>\"x\"</b>", 99).into_string(), "<span>&lt;b&gt;&quot;x&quot;&lt;/b&gt;</span>");
        let long = "\"><script>".repeat(100_000);
        assert!(text(&long, 20).into_string().len() < 8_000);
        assert!(!text(&long, 20).into_string().contains("<script"));
    }
}
