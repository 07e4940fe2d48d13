//! The types that `Builder::level` accepts.

use ragtrace_core::{Level, ParseError};

use crate::record::Levels;

/// A type that [`Builder::level`](crate::Builder::level) accepts: a [`Level`], or a text with the
/// name of a level or directives.
///
/// It is implemented for [`Level`], `&str`, `String` and `&String`, and cannot be implemented for
/// other types.
pub trait IntoLevel: sealed::Sealed {}

impl<T: sealed::Sealed> IntoLevel for T {}

pub(super) mod sealed {
    use super::{Level, Levels, ParseError};

    /// Parsed levels, or the error of a malformed text.
    pub struct Setting(pub(in crate::setup) Result<Levels, ParseError>);

    pub trait Sealed {
        fn into_setting(self) -> Setting;
    }

    impl Sealed for Level {
        fn into_setting(self) -> Setting {
            Setting(Ok(self.into()))
        }
    }

    impl Sealed for &str {
        fn into_setting(self) -> Setting {
            Setting(self.parse())
        }
    }

    impl Sealed for String {
        fn into_setting(self) -> Setting {
            Setting(self.parse())
        }
    }

    impl Sealed for &String {
        fn into_setting(self) -> Setting {
            Setting(self.parse())
        }
    }
}
