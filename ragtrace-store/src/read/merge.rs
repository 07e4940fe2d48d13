//! Merges several lists into one page: the rows of both tables, and of both names of a stage.

use super::position::Position;

/// The rows of a page, and where to continue if they are fewer than wanted.
pub(crate) struct Merged<T> {
    pub(crate) rows: Vec<T>,
    /// The position up to which all lists were read, or `None` if none of them has more.
    pub(crate) read_up_to: Option<Position>,
}

/// Merges the beginnings of lists that are newest first. A list that returned as many rows as
/// `wanted`, or more, may have more, so nothing after the last of them is known yet. A row that
/// several lists contain is returned once.
pub(crate) fn merge<T>(lists: Vec<Vec<T>>, wanted: usize, position: impl Fn(&T) -> Position) -> Merged<T> {
    let ends = lists.iter().filter(|list| list.len() >= wanted).filter_map(|list| list.last());
    let read_up_to = ends.map(&position).max();
    let mut rows: Vec<T> = lists.into_iter().flatten().collect();
    rows.retain(|row| read_up_to.is_none_or(|end| position(row) >= end));
    rows.sort_by_key(|row| std::cmp::Reverse(position(row)));
    rows.dedup_by_key(|row| position(row));
    rows.truncate(wanted);
    Merged { rows, read_up_to }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ragtrace::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn at(row: &(i64, u128)) -> Position {
        Position { timestamp: Timestamp::from_micros(row.0), id: Uuid::from_u128(row.1), number: 0 }
    }

    proptest! {
        #[test]
        fn pages_of_several_lists_are_the_rows_of_all_in_order_and_each_once(
            lists in proptest::collection::vec(proptest::collection::vec((0..6_i64, 0..40_u128), 0..40), 1..4),
            limit in 1..12_usize,
        ) {
            let lists: Vec<Vec<(i64, u128)>> = lists
                .into_iter()
                .map(|mut list| {
                    list.sort_by_key(|row| std::cmp::Reverse(at(row)));
                    list
                })
                .collect();
            let mut expected: Vec<_> = lists.concat();
            expected.sort_by_key(|row| std::cmp::Reverse(at(row)));
            expected.dedup();
            let mut paged = Vec::new();
            let mut after = Position::START;
            loop {
                let begin = |list: &Vec<_>| list.iter().filter(|row| at(row) < after).take(limit).copied().collect();
                let page = merge(lists.iter().map(begin).collect(), limit, at);
                prop_assert!(page.rows.len() <= limit);
                after = page.rows.last().map(at).or(page.read_up_to).unwrap_or(after);
                if page.rows.is_empty() && page.read_up_to.is_none() {
                    break;
                }
                paged.extend(page.rows);
            }
            prop_assert_eq!(paged, expected);
        }
    }
}
