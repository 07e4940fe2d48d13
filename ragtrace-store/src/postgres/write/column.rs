//! Turns rows into columns, which statements take as arrays.

/// Returns one column of the rows.
pub(super) fn column<R, T>(rows: &[R], part: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(part).collect()
}
