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
/// # Systems
///
/// The linker puts the list together, and linkers differ. Recording does not need the list: a stage
/// that is missing in it is recorded as ever.
///
/// - **Linux**: the list is complete. It is tested on x86-64 and ARM, with glibc and musl.
/// - **macOS**: untested. The code follows the documented way to find a section's bounds, and the
///   result links, but no program has been run on a Mac. Please report a program that does not link
///   or lists no stages or too few.
/// - **Windows** with the GNU toolchain (`*-windows-gnu`): tested under Wine. The linker drops what
///   is not in use, so a stage that is never called may be missing; `-C link-dead-code` in
///   `RUSTFLAGS` keeps all of them.
/// - **Windows** with Microsoft's toolchain (`*-windows-msvc`): untested, as macOS is.
pub fn stages() -> Vec<&'static StageDescriptor> {
    let mut stages = section::linked();
    stages.extend(interned::all());
    stages.sort_by_key(|stage| (stage.name(), stage.file(), stage.line()));
    stages
}
