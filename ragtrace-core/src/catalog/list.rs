//! The list of all stages.

use super::{StageDescriptor, interned, section};

/// Returns every stage of this program by name, then by where it is declared: every annotated
/// function that is linked into it, and every [`NamedStage`](crate::NamedStage) made so far.
///
/// A crate that nothing names in source is not linked, so its stages are not listed. Where
/// `ragtrace` is part of a dynamic library, such as a Rust `dylib` or one that a plugin brings,
/// each library lists its own stages alone: with `ragtrace` in a `dylib`, the executable's are
/// recorded as ever and not listed. Two versions of `ragtrace` in one program list each their own.
///
/// The linker puts the list together, so it depends on the system. It is tested on Linux, on x86-64
/// and on ARM. On macOS it is compiled and not yet run: if a program there does not link, or lists
/// no stages or too few, that is a fault of `ragtrace`, and worth a report. Stages are recorded
/// there without the list.
pub fn stages() -> Vec<&'static StageDescriptor> {
    let mut stages = section::linked();
    stages.extend(interned::all());
    stages.sort_by_key(|stage| (stage.name(), stage.file(), stage.line()));
    stages
}
