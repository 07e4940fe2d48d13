//! Tells whether a word may be another one, misspelled or with another ending.

/// Returns the distance of two terms, or `None` if they are too far apart to be the same word: one
/// letter of four, two of eight. A swap of neighbours counts as one. A term that the other one
/// begins with is another form of it, in languages whose endings are not taken off.
pub fn is_near(one: &str, other: &str) -> Option<usize> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    let allowed = match shorter {
        0..4 => return None,
        4..8 => 1,
        _ => 2,
    };
    let common = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    if common == shorter && longer - shorter <= 3 {
        return Some(longer - shorter);
    }
    if longer - shorter > allowed {
        return None;
    }
    Some(distance(&one, &other)).filter(|distance| *distance <= allowed)
}

/// Returns the least number of letters to insert, remove, replace or swap (optimal string
/// alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, a) in one.iter().enumerate() {
        let mut current = Vec::with_capacity(last.len());
        current.push(row + 1);
        for (column, b) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut least = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == other[column - 1] && one[row - 1] == *b {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_word_is_near() {
        assert_eq!(is_near("batery", "battery"), Some(1));
        assert_eq!(is_near("hieght", "height"), Some(1));
        assert_eq!(is_near("thermomter", "thermometer"), Some(1));
        assert_eq!(is_near("batterie", "batterien"), Some(1));
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(is_near("mast", "vane"), None);
        assert_eq!(is_near("rain", "train"), Some(1));
        assert_eq!(is_near("sun", "son"), None);
        assert_eq!(is_near("station", "statue"), None);
    }
}
