//! The names of stages: which ones are known, and which one was likely meant.

use ragtrace_core::stages;

use super::tree::Tree;
use crate::record::Record;

/// The maximum number of suggested names.
const SUGGESTED: usize = 3;

/// Fails the test if no stage has this name.
#[track_caller]
pub(super) fn expect_known(records: &[Record], name: &str) {
    let captured = records.iter().filter_map(Record::stage);
    let declared = stages().into_iter().map(|stage| -> &str { stage.name() });
    let known: Vec<_> = captured.chain(declared).collect();
    if known.contains(&name) {
        return;
    }
    let quoted = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let near = quoted(nearest(name, known));
    match near.join(" or ") {
        near if !near.is_empty() => panic!("no stage has the name `{name}`: did you mean {near}?"),
        _ => panic!("no stage has the name `{name}`; {}", Tree(records)),
    }
}

/// Returns the names that were likely meant by `written`: those that contain it or are contained in
/// it, or else those that differ from it by the fewest letters, if these are few enough.
fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let rank = |name: &str| {
        let is_part = !written.is_empty() && (name.contains(written) || written.contains(name));
        let distance = distance(written, name);
        let is_near = is_part || distance <= 1 + written.chars().count() / 4;
        is_near.then_some(if is_part { 0 } else { distance })
    };
    let mut near: Vec<_> = known.into_iter().filter_map(|name| Some((rank(name)?, name))).collect();
    near.sort_unstable();
    near.dedup();
    let least = near.first().map(|(rank, _)| *rank);
    near.retain(|(rank, _)| Some(*rank) == least);
    near.truncate(SUGGESTED);
    near.into_iter().map(|(_, name)| name).collect()
}

/// Returns the number of letters to insert, delete or replace to get from one name to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..to.len() {
            let replaced = diagonal + usize::from(letter != to[j]);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_near_are_suggested_and_others_are_not() {
        let known = ["chunk", "document_chunking", "embed", "retrieve", "rerank", "retrieval"];
        assert_eq!(nearest("chnk", known), ["chunk"]);
        assert_eq!(nearest("chunking", known), ["chunk", "document_chunking"]);
        assert_eq!(nearest("retreive", known), ["retrieve"]);
        assert_eq!(nearest("retrievl", known), ["retrieval", "retrieve"]);
        assert_eq!(nearest("quantum", known), [""; 0]);
        assert_eq!(nearest("", known), [""; 0]);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
    }
}
