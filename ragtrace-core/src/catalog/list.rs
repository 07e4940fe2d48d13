//! The list of all stages.

use super::{StageDescriptor, interned, section};

/// Returns all stages of this program, sorted by name and then by source location.
///
/// The list contains every annotated function that is linked into the program, and every
/// [`NamedStage`](crate::NamedStage) created so far. A crate that no source code refers to is not
/// linked, so its stages are missing.
///
/// If `ragtrace` is part of a dynamic library, such as a Rust `dylib` or a plugin, each library
/// lists only its own stages. With `ragtrace` in a `dylib`, the executable's stages are recorded as
/// usual but not listed. If a program contains two versions of `ragtrace`, each lists its own
/// stages.
///
/// # Examples
///
/// ```
/// for stage in ragtrace::stages() {
///     println!("{} ({}) at {}:{}", stage.name(), stage.kind(), stage.file(), stage.line());
/// }
/// ```
pub fn stages() -> Vec<&'static StageDescriptor> {
    let mut stages = section::linked();
    stages.extend(interned::all());
    stages.sort_by_key(|stage| (stage.name(), stage.file(), stage.line()));
    stages
}
