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
/// # Systems
///
/// The linker puts the list together, and linkers differ. Recording does not need the list, so a
/// stage that is missing from it is still recorded.
///
/// - **Linux**: the list is complete. This is tested on x86-64 and ARM, with glibc and musl.
/// - **macOS**: untested. The code uses the symbols that Apple's linker defines for the bounds of a
///   section, but no program has been run on a Mac. Please report a program that does not link, or
///   one whose list is empty or incomplete.
/// - **Windows** with the GNU toolchain (`*-windows-gnu`): tested under Wine. The linker drops
///   unused code, so a stage that is never called may be missing. To keep all stages, build with
///   `RUSTFLAGS="-C link-dead-code"`.
/// - **Windows** with Microsoft's toolchain (`*-windows-msvc`): untested. Please report a list that
///   is empty or incomplete.
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
