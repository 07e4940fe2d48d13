//! "Did you mean …?"

/// A sentence that names what `written` is likely meant to be, and what else there is.
pub(crate) fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    let (distance, nearest) = known.iter().map(|name| (distance(written, name), name)).min()?;
    let close = distance <= 1 + written.len() / 4;
    close.then(|| format!("did you mean `{nearest}`?"))
}

/// How many letters to insert, delete, replace or swap with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_suggested_and_what_is_far_is_not() {
        let known = ["chunk", "embed", "retrieve"];
        assert_eq!(did_you_mean("chunks", &known).as_deref(), Some("did you mean `chunk`?"));
        assert_eq!(did_you_mean("retreive", &known).as_deref(), Some("did you mean `retrieve`?"));
        assert_eq!(did_you_mean("quantum", &known), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
