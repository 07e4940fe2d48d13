//! Which version the tables of a store are of, by the migrations that made them.

use sqlx::migrate::Migrator;

use crate::fault::{Cause, Fault};

/// Checks that the migrations that were applied to a store, by version and checksum, are those of
/// this version. The `subject` names the store in a message, such as "`ragtrace.db`".
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

/// The first migration changed until the first release, and never since.
pub(crate) fn made_before_the_first_release(subject: &str) -> Fault {
    let advice = "delete it, or export what it holds with the version that made it";
    Fault::new(Cause::Schema, format!("{subject} was made before the first release of ragtrace: {advice}"))
}
