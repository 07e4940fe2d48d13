//! Parses numeric arguments and checks their ranges.

/// The largest number of days, about a century. Much larger numbers would lead to dates that
/// databases cannot represent.
const MOST_DAYS: u32 = 36_500;
/// The largest number of rows. A longer list would not fit into memory anyway.
const MOST_ROWS: usize = 1_000_000_000;

/// Parses the number of rows to list, at least one.
pub(crate) fn limit(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit)).ok_or_else(|| between("1", MOST_ROWS))
}

/// Parses the number of rows to begin with, which may be zero.
pub(crate) fn lines(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|lines| *lines <= MOST_ROWS).ok_or_else(|| between("0", MOST_ROWS))
}

/// Parses a number of days.
pub(crate) fn days(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|days| *days <= MOST_DAYS)
        .ok_or_else(|| format!("give a whole number of days from 0 to {MOST_DAYS}"))
}

/// Parses a ratio between 0 and 1.
pub(crate) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "give a number between 0 and 1".to_owned())
}

fn between(least: &str, most: usize) -> String {
    format!("give a whole number from {least} to {most}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        let text = ["0", "-1", "1.5", "", "x", "1000000001", "18446744073709551616", "NaN"];
        assert!(text.iter().all(|text| limit(text).is_err()));
        assert_eq!((limit("1"), lines("0")), (Ok(1), Ok(0)));
        assert!(["-1", "36501", "740000", "4294967295", "4294967296", "7d"].iter().all(|text| days(text).is_err()));
        assert_eq!((days("0"), days("36500")), (Ok(0), Ok(36_500)));
        let no_ratios = ["NaN", "nan", "inf", "-inf", "-0.1", "1.0000001", "2", "10%", "", "1e300"];
        assert!(no_ratios.iter().all(|text| ratio(text).is_err()));
        assert_eq!((ratio("0"), ratio("1"), ratio("1e-3")), (Ok(0.0), Ok(1.0), Ok(0.001)));
    }
}
