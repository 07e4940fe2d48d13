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
/// The linker builds the list, and linkers differ. Recording does not need the list: stages that
/// are missing from it are recorded as usual.
///
/// - **Linux**: the list is complete. All tests run on x86-64 with glibc. On ARM and with musl,
///   only a small program with the same sections has been run, and its list was complete.
/// - **macOS**: untested. The code uses the symbols that Apple's linker defines for the bounds of a
///   section, but no program has been run on a Mac. Please report a program that does not link, or
///   whose list is incomplete.
/// - **Windows** with the GNU toolchain (`*-windows-gnu`): only a small program with the same
///   sections has been run, under Wine. The linker drops unused code, so a stage that is never
///   called may be missing; `-C link-dead-code` in `RUSTFLAGS` keeps all of them.
/// - **Windows** with Microsoft's toolchain (`*-windows-msvc`): untested.
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
