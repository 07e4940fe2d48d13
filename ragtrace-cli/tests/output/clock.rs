//! Makes times in output comparable between runs: those of the store are shifted so that its
//! present is always the same.

use ragtrace::Timestamp;

/// 2026-11-22T09:20:00Z, the present of every committed output.
const PRESENT: Timestamp = Timestamp::from_micros(1_795_339_200_000_000);
/// The form of a time to the second, in which `0` stands for a digit.
const FORM: &[u8] = b"0000-00-00 00:00:00";

/// Returns a text with all times shifted as far as `now` is from the common present. No line
/// changes its length.
pub(crate) fn shifted(text: &str, now: Timestamp) -> String {
    let mut shifted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let time = rest.get(..FORM.len()).filter(|text| is_time(text));
        let Some(time) = time else {
            shifted.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let at: Timestamp = format!("{}T{}Z", &time[..10], &time[11..]).parse().expect("a time");
        let at = Timestamp::from_micros(at.as_micros() - now.as_micros() + PRESENT.as_micros()).to_string();
        shifted.extend([&at[..10], &time[10..11], &at[11..19]]);
        rest = &rest[FORM.len()..];
    }
    shifted
}

fn is_time(text: &str) -> bool {
    text.bytes().zip(FORM).all(|(is, form)| match form {
        b'0' => is.is_ascii_digit(),
        b' ' => is == b' ' || is == b'T',
        form => is == *form,
    })
}

#[test]
fn times_are_shifted_and_nothing_else_is() {
    let now = Timestamp::from_micros(PRESENT.as_micros() + 86_400_000_000 + 61_000_000);
    let text = "✓ 2026-11-23 09:21:01.123 x 2026-11-23T08:21:01.5Z 2026-11-23 -1 12:00:00";
    assert_eq!(shifted(text, now), "✓ 2026-11-22 09:20:00.123 x 2026-11-22T08:20:00.5Z 2026-11-23 -1 12:00:00");
}
