//! The catalog of every annotated stage that is linked into the program.
//!
//! A stage's descriptor lies in a section of the program that has nothing else in it, so the linker
//! makes the catalog by putting the sections of all crates side by side: a stage is listed also
//! when it is generic, never called, or dead to the compiler, and being listed takes no code, no
//! relocation and no constructor. What reads it is `unsafe` for that reason: the linker says where
//! the section begins and ends, and the compiler has to be told what is in it.

#![expect(unsafe_code, reason = "the bounds of a section come from the linker; see above")]

use std::sync::atomic::AtomicU8;

use super::StageDescriptor;

/// A stage's descriptor as it lies in the catalog.
// Optimizers copy constants into what refers to them, and the texts of a copy have symbols, with
// long names. So the descriptor looks as if somebody might write it. It has a type for it because a
// user's `const` of such a type would be a mistake.
//
// Another copy of the crate in the program may read it, so its layout is fixed, down to what it
// consists of. Whoever changes that, also by a kind or a source of fields more, gives the section
// another number (`L2`) here and in the attribute.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C)]
pub struct CatalogEntry {
    descriptor: StageDescriptor,
    _looks_written: [AtomicU8; 0],
}

impl CatalogEntry {
    /// `descriptor`, to be put in the section.
    pub const fn new(descriptor: StageDescriptor) -> Self {
        Self { descriptor, _looks_written: [] }
    }

    /// The descriptor.
    #[inline]
    pub const fn get(&'static self) -> &'static StageDescriptor {
        &self.descriptor
    }
}

/// Declares a stage's descriptor as one of the catalog.
// The section is of this version and of this layout of descriptors: two copies of the crate in one
// program never read each other's but where both have the same. A name has 16 bytes on macOS, and 8
// before the `$` on Windows. The attribute names the section too.
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

// The linker knows the bounds only of a section that there is.
__catalog_entry! {
    static NONE = StageDescriptor::new("", "");
}

#[cfg(not(any(unix, windows)))]
compile_error!("the catalog of stages is made for the linkers of Unix and Windows");

#[cfg(unix)]
mod bounds {
    use super::CatalogEntry;

    // SAFETY: linkers of ELF and Mach-O define these for a section whose name is an identifier, and
    // everything in it is a descriptor that the attribute declares.
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

    // The linker puts what comes after the `$` in the order of the alphabet.
    #[unsafe(link_section = ".rt01l2$a")]
    pub(super) static START: [CatalogEntry; 0] = [];
    #[unsafe(link_section = ".rt01l2$c")]
    pub(super) static STOP: [CatalogEntry; 0] = [];
}

/// Returns every annotated stage that is linked into this program, in no order.
pub(super) fn linked() -> Vec<&'static StageDescriptor> {
    // GNU's linker for Windows leaves out sections of an object that nothing refers to, and the
    // bounds with them. Another object's go with its code: a stage that is in use is listed, and
    // those beside it.
    std::hint::black_box(&raw const NONE);
    let (start, stop) = (bounds::START.as_ptr(), bounds::STOP.as_ptr());
    let length = stop.addr().saturating_sub(start.addr()) / size_of::<CatalogEntry>();
    // SAFETY: from `START` to `STOP` lie the statics that the attribute declared, and nothing else.
    // Their size is a multiple of their alignment, so they lie without gaps. They are never
    // written.
    let entries: &'static [CatalogEntry] = unsafe { std::slice::from_raw_parts(start, length) };
    // Each copy of the crate that shares the section has one without a name.
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
