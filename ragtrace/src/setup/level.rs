//! A level, the name of one, or directives.

use ragtrace_core::{Level, ParseError};

use crate::record::Levels;

/// A level, its name or directives, for [`Builder::level`](crate::Builder::level): `Level::Debug`,
/// `"debug"` and `"info,rag.ingestion=debug"` are.
///
/// Nothing else implements it.
pub trait IntoLevel: sealed::Sealed {}

impl<T: sealed::Sealed> IntoLevel for T {}

pub(super) mod sealed {
    use super::{Level, Levels, ParseError};

    /// The levels that were set, or why they are none.
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
