//! The catalog of all annotated stages that are linked into the program.
//!
//! Each stage's descriptor is placed in a section of the executable that contains nothing else. The
//! linker concatenates these sections of all crates, which yields the catalog. A stage is listed
//! even if it is generic, never called, or considered dead code by the compiler, and its listing
//! needs no code, no relocation and no constructor. Reading the section is `unsafe` because only
//! the linker knows its bounds and the compiler cannot check its contents.

#![expect(unsafe_code, reason = "the bounds of a section come from the linker; see above")]

use std::sync::atomic::AtomicU8;

use super::StageDescriptor;

/// A stage's descriptor as an element of the catalog.
// Optimizers copy constants into the code that refers to them, and the strings of each copy get
// symbols with long names. The atomic array of length zero makes the descriptor look writable,
// which prevents that. A type of its own holds it, because a user's `const` of a type that looks
// writable would be flagged as a mistake.
//
// Another copy of this crate in the program may read the section, so the layout is fixed, including
// that of all parts. A change of layout, even another kind of stage or another field source, needs
// a new number in the section's name (`L2`), here and in the attribute.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C)]
pub struct CatalogEntry {
    descriptor: StageDescriptor,
    _looks_written: [AtomicU8; 0],
}

impl CatalogEntry {
    /// Wraps a descriptor for the catalog's section.
    pub const fn new(descriptor: StageDescriptor) -> Self {
        Self { descriptor, _looks_written: [] }
    }

    /// Returns the descriptor.
    #[inline]
    pub const fn get(&'static self) -> &'static StageDescriptor {
        &self.descriptor
    }
}

/// Declares a static that holds a stage's descriptor in the catalog's section.
// The section's name contains the crate's version and the number of the descriptors' layout, so two
// copies of the crate in one program share a section only if both are equal. A name has at most 16
// bytes on macOS, and at most 8 before the `$` on Windows. The attribute uses the same names.
#[doc(hidden)]
#[macro_export]
macro_rules! __catalog_entry {
    (static $name:ident = $descriptor:expr;) => {
        #[used]
        #[cfg_attr(all(unix, not(target_vendor = "apple")), unsafe(link_section = "ragtrace_0_1_L2"))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,ragtrace_0_1_L2"))]
        #[cfg_attr(windows, unsafe(link_section = ".rt01l2$b"))]
        static $name: $crate::__private::CatalogEntry = $crate::__private::CatalogEntry::new($descriptor);
    };
}

// The linker defines the bounds of a section only if the section exists, so it always has this
// element.
__catalog_entry! {
    static NONE = StageDescriptor::new("", "");
}

#[cfg(not(any(unix, windows)))]
compile_error!("this target is not supported: the catalog of stages needs a linker of Unix or Windows");

#[cfg(unix)]
mod bounds {
    use super::CatalogEntry;

    // SAFETY: ELF and Mach-O linkers define these symbols for a section whose name is an
    // identifier, and everything in the section is a descriptor declared with `__catalog_entry!`.
    unsafe extern "Rust" {
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__start_ragtrace_0_1_L2")]
        #[cfg_attr(target_vendor = "apple", link_name = "\u{1}section$start$__DATA$ragtrace_0_1_L2")]
        pub(super) safe static START: [CatalogEntry; 0];
        #[cfg_attr(not(target_vendor = "apple"), link_name = "__stop_ragtrace_0_1_L2")]
        #[cfg_attr(target_vendor = "apple", link_name = "\u{1}section$end$__DATA$ragtrace_0_1_L2")]
        pub(super) safe static STOP: [CatalogEntry; 0];
    }
}

#[cfg(windows)]
mod bounds {
    use super::CatalogEntry;

    // The linker sorts parts of a section alphabetically by the name after the `$`.
    #[unsafe(link_section = ".rt01l2$a")]
    pub(super) static START: [CatalogEntry; 0] = [];
    #[unsafe(link_section = ".rt01l2$c")]
    pub(super) static STOP: [CatalogEntry; 0] = [];
}

/// Returns all annotated stages that are linked into this program, in no particular order.
pub(super) fn linked() -> Vec<&'static StageDescriptor> {
    // The GNU linker for Windows drops objects' sections that nothing refers to, which would include
    // the bounds. Sections of other objects stay if the object's code is used, so a stage in use is
    // listed, and so are the other stages in its object.
    std::hint::black_box(&raw const NONE);
    let (start, stop) = (bounds::START.as_ptr(), bounds::STOP.as_ptr());
    let length = stop.addr().saturating_sub(start.addr()) / size_of::<CatalogEntry>();
    // SAFETY: everything between `START` and `STOP` is a static declared with `__catalog_entry!`.
    // The statics' size is a multiple of their alignment, so there are no gaps between them. They
    // are never written to.
    let entries: &'static [CatalogEntry] = unsafe { std::slice::from_raw_parts(start, length) };
    // Each copy of the crate that shares the section adds an element without a name.
    entries.iter().map(CatalogEntry::get).filter(|stage| !stage.name().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{FieldDescriptor, StageKind};
    use crate::level::Level;

    #[test]
    fn the_section_is_named_after_the_version() {
        let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"));
        assert_eq!(version, "0_1", "name the sections in this file after the new version");
    }

    #[test]
    fn the_section_s_number_stands_for_the_layout() {
        let sizes = [size_of::<CatalogEntry>(), size_of::<StageDescriptor>(), size_of::<FieldDescriptor>()];
        let words = sizes.map(|bytes| bytes / size_of::<usize>());
        let changed = "give the section another number: `L2` is that of the layout before";
        assert_eq!((words, StageKind::ALL.len(), Level::ALL.len()), ([10, 10, 5], 11, 5), "{changed}");
    }
}
