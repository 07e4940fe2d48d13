//! Instants as statement parameters.

use ragtrace::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

/// An instant in microseconds since 1970, for a parameter of type `timestamptz`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PgTime(pub(super) i64);

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

impl PgTime {
    /// Returns a lower bound, or minus infinity for `None`.
    pub(super) fn since(since: Option<Timestamp>) -> Self {
        Self(since.map_or(i64::MIN, Timestamp::as_micros))
    }
}

impl From<Timestamp> for PgTime {
    fn from(at: Timestamp) -> Self {
        Self(at.as_micros())
    }
}

impl Type<Postgres> for PgTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl Encode<'_, Postgres> for PgTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // PostgreSQL represents instants from 4713 BC to AD 294276.
        const SPAN: (i64, i64) = (-211_813_488_000_000_000, 9_223_371_331_200_000_000 - EPOCH);
        let since_epoch = match self.0 {
            // PostgreSQL takes these for minus and plus infinity, which lie before and after every
            // instant.
            i64::MIN | i64::MAX => self.0,
            micros => micros.saturating_sub(EPOCH).clamp(SPAN.0, SPAN.1),
        };
        buffer.extend_from_slice(&since_epoch.to_be_bytes());
        Ok(IsNull::No)
    }
}
