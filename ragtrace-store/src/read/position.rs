//! Positions in a list, where the next page begins.

use std::fmt;
use std::str::FromStr;

use ragtrace::{ParseError, Timestamp};
use uuid::Uuid;

/// A position in a list whose newest rows come first. The next page begins right after it, whatever
/// was written meanwhile.
///
/// Its [`Display`](fmt::Display) form can be parsed again, for a link or a command line.
///
/// No two rows of a list have the same position. Positions are ordered as the rows are: by time,
/// then by the id of the record or trace, then by a number that distinguishes requests of one
/// trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub(crate) timestamp: Timestamp,
    pub(crate) id: Uuid,
    /// Zero for a record, since its id is unique.
    pub(crate) number: i64,
}

impl Position {
    /// The position before every row.
    pub(crate) const START: Self =
        Self { timestamp: Timestamp::from_micros(i64::MAX), id: Uuid::max(), number: i64::MAX };

    /// Returns the last instant at which rows after this position and before `until` may lie. It
    /// includes the position's own instant, at which more rows may follow.
    pub(crate) fn last_instant(self, until: Option<Timestamp>) -> Timestamp {
        let before = |until: Timestamp| Timestamp::from_micros(until.as_micros().saturating_sub(1));
        until.map_or(self.timestamp, |until| before(until).min(self.timestamp))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.timestamp.as_micros(), self.id.as_simple(), self.number)
    }
}

impl FromStr for Position {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let mut parts = text.split('.');
            let timestamp = Timestamp::from_micros(parts.next()?.parse().ok()?);
            let id = Uuid::try_parse(parts.next()?).ok()?;
            let number = parts.next()?.parse().ok()?;
            parts.next().is_none().then_some(Self { timestamp, id, number })
        };
        read().ok_or_else(|| ParseError::new("a position as printed by the previous page", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_and_nothing_else_does() {
        for (micros, number) in [(1_795_335_611_000_000, 0), (-1, 7), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)] {
            let position = Position { timestamp: Timestamp::from_micros(micros), id: Uuid::from_u128(42), number };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        let id = Uuid::nil().simple().to_string();
        for text in
            ["", "1", "1.2.3", &format!("1.{id}"), &format!("1.{id}."), &format!("1.{id}.2.3"), &format!("{id}.1.2")]
        {
            let error = text.parse::<Position>().expect_err(text);
            assert!(error.to_string().contains("a position as printed by the previous page"), "{error}");
        }
    }
}
