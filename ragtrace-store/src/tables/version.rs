//! Determines the version of a store's tables from the migrations that were applied to it.

use sqlx::migrate::Migrator;

use crate::fault::{Cause, Fault};

/// Checks that the migrations applied to a store, by version and checksum, are those of this
/// version. Messages name the store by `subject`, such as "`ragtrace.db`".
pub(crate) fn check_version(subject: &str, known: &Migrator, applied: &[(i64, Vec<u8>)]) -> Result<(), Fault> {
    let current = known.iter().map(|migration| migration.version).max();
    let newest = applied.iter().map(|(version, _)| *version).max();
    if newest > current {
        return Err(made_by_a_newer_version(subject));
    }
    let differs = |(version, checksum): &(i64, Vec<u8>)| {
        known.iter().any(|migration| migration.version == *version && *migration.checksum != **checksum)
    };
    if applied.iter().any(differs) {
        return Err(made_before_the_first_release(subject));
    }
    if newest < current {
        let advice = "run `ragtrace migrate`, or write to it once with this version";
        return Err(Fault::new(Cause::Schema, format!("{subject} was made by an older version of ragtrace: {advice}")));
    }
    Ok(())
}

pub(crate) fn made_by_a_newer_version(subject: &str) -> Fault {
    let advice = "upgrade this program, or have it use another place";
    Fault::new(Cause::Schema, format!("{subject} was made by a newer version of ragtrace: {advice}"))
}

/// Returns the fault of tables from before the first release. Until then the first migration still
/// changed; since then it never has.
pub(crate) fn made_before_the_first_release(subject: &str) -> Fault {
    let advice = "delete it, or export what it holds with the version that made it";
    Fault::new(Cause::Schema, format!("{subject} was made before the first release of ragtrace: {advice}"))
}
