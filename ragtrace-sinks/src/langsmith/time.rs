//! Formats and parses times as LangSmith has them.

use ragtrace::Timestamp;

/// 1970-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z, the range of four-digit years that every
/// reader accepts.
const TAKEN: (Timestamp, Timestamp) = (Timestamp::from_micros(0), Timestamp::from_micros(253_402_300_799_999_999));

/// Returns the time that LangSmith accepts and that is nearest to `time`.
pub(super) fn clamped(time: Timestamp) -> Timestamp {
    time.clamp(TAKEN.0, TAKEN.1)
}

/// Returns a time as RFC 3339 with microseconds and the offset `+00:00`, in quotes.
pub(super) fn quoted(time: Timestamp) -> [u8; 34] {
    let mut text = *b"\"0000-00-00T00:00:00.000000+00:00\"";
    text[1..27].copy_from_slice(&time.rfc3339()[..26]);
    text
}

/// Returns a time in the form of a dotted order: `%Y%m%dT%H%M%S%fZ`.
pub(super) fn of_dotted_order(time: Timestamp) -> [u8; 22] {
    let long = time.rfc3339();
    let mut short = *b"00000000T000000000000Z";
    for (to, from) in [
        (0..4, 0..4),
        (4..6, 5..7),
        (6..8, 8..10),
        (9..11, 11..13),
        (11..13, 14..16),
        (13..15, 17..19),
        (15..21, 20..26),
    ] {
        short[to].copy_from_slice(&long[from]);
    }
    short
}

/// Parses a time in the form of a dotted order. Its day has to exist.
pub(super) fn from_dotted_order(text: &str) -> Option<Timestamp> {
    if text.len() != 22 || !text.is_ascii() {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let long = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(0..4),
        part(4..6),
        part(6..8),
        part(9..11),
        part(11..13),
        part(13..15),
        part(15..21)
    );
    let time: Timestamp = long.parse().ok()?;
    // Formatting it again checks the characters between the digits, and that the day exists.
    (of_dotted_order(time) == text.as_bytes() && clamped(time) == time).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_microseconds() {
        let time: Timestamp = "2026-11-22T08:20:11.000042Z".parse().expect("a time");
        assert_eq!(&quoted(time), b"\"2026-11-22T08:20:11.000042+00:00\"");
        assert_eq!(&of_dotted_order(time), b"20261122T082011000042Z");
        assert_eq!(from_dotted_order("20261122T082011000042Z"), Some(time));
    }

    #[test]
    fn what_is_no_time_of_a_calendar_is_refused() {
        for text in [
            "",
            "20261322T082011000042Z",
            "20260230T082011000042Z",
            "20261122T252011000042Z",
            "20261122 082011000042Z",
            "00000101T000000000000Z",
            "99999999T999999999999Z",
            "2026112ä2T08201100004Z",
        ] {
            assert_eq!(from_dotted_order(text), None, "{text:?}");
        }
        let (early, late) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert_eq!(&of_dotted_order(clamped(early)), b"19700101T000000000000Z");
        assert_eq!(&of_dotted_order(clamped(late)), b"99991231T235959999999Z");
    }
}
