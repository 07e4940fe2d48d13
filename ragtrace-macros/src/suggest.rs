//! Suggests corrections for unknown words.

/// Returns the message for an unknown word, with a suggestion and the list of known words.
pub(crate) fn unknown(what: &str, written: &str, words: &[&str]) -> String {
    match did_you_mean(written, words) {
        Some(hint) => format!("unknown {what} `{written}`: {hint} (known: {})", list(words)),
        None => format!("unknown {what} `{written}`: use one of {}", list(words)),
    }
}

/// Returns a list of the words in backticks.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Suggests a known word that begins with `written` (as while typing in an editor), that `written`
/// begins with, or that differs from it only slightly.
pub(crate) fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    let lower = written.to_lowercase();
    let mut begun = known.iter().filter(|name| name.starts_with(&lower));
    let begun = begun.next().filter(|_| begun.next().is_none());
    let longer = || known.iter().find(|name| name.len() > 2 && lower.starts_with(**name));
    let near = || {
        let (distance, nearest) = known.iter().map(|name| (distance(&lower, name), name)).min()?;
        // Any single letter is close to any other.
        let close = distance <= 1 + lower.len() / 4 && distance < lower.chars().count();
        close.then_some(nearest)
    };
    begun.or_else(longer).or_else(near).map(|name| format!("did you mean `{name}`?"))
}

/// Returns the number of letters to insert, delete, replace or swap with their neighbor.
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
        let known = ["chunk", "embed", "retrieve", "rerank", "warn"];
        let suggested = |written| did_you_mean(written, &known);
        assert_eq!(suggested("chunks").as_deref(), Some("did you mean `chunk`?"));
        assert_eq!(suggested("retreive").as_deref(), Some("did you mean `retrieve`?"));
        assert_eq!(suggested("CHUNK").as_deref(), Some("did you mean `chunk`?"));
        assert_eq!(suggested("em").as_deref(), Some("did you mean `embed`?"), "half typed");
        assert_eq!(suggested("warning").as_deref(), Some("did you mean `warn`?"));
        assert_eq!(suggested("re"), None, "it may be either");
        assert_eq!(suggested("quantum"), None);
        assert_eq!(did_you_mean("m", &["n"]), None, "one letter is as near as any other");
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
