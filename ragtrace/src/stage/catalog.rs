//! The catalog of every annotated stage that is linked into the program.

use crate::stage::StageDescriptor;
use crate::warning;

/// A stage's entry in the catalog. Generated code submits one for each annotated function, so a stage is listed also
/// when it is generic, never called, or dead to the compiler.
#[derive(Debug)]
pub struct Listed(pub &'static StageDescriptor);

inventory::collect!(Listed);

/// Every annotated stage that is linked into this program, by name, then by where it is declared.
///
/// A crate that nothing names in source is not linked, so its stages are not listed.
pub fn stages() -> Vec<&'static StageDescriptor> {
    let mut stages: Vec<_> = inventory::iter::<Listed>.into_iter().map(|listed| listed.0).collect();
    stages.sort_by_key(|stage| (stage.name(), stage.file(), stage.line()));
    stages
}

/// Says on stderr which names are declared more than once, and where: their records cannot be told apart.
pub(crate) fn report_duplicates() {
    for same in stages().chunk_by(|one, other| one.name() == other.name()).filter(|same| same.len() > 1) {
        let places: Vec<_> = same.iter().map(|stage| format!("{}:{}", stage.file(), stage.line())).collect();
        let name = same[0].name();
        warning::line(&format!("the stage `{name}` is declared {} times: {}", same.len(), places.join(", ")));
    }
}
