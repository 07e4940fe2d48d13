//! A level, or the name of one.

use ragtrace_core::{Level, ParseError};

/// A level or its name, for [`Builder::level`](crate::Builder::level): `Level::Debug` and `"debug"`
/// both are.
///
/// Nothing else implements it.
pub trait IntoLevel: sealed::Sealed {}

impl<T: sealed::Sealed> IntoLevel for T {}

pub(super) mod sealed {
    use super::{Level, ParseError};

    pub trait Sealed {
        fn into_level(self) -> Result<Level, ParseError>;
    }

    impl Sealed for Level {
        fn into_level(self) -> Result<Level, ParseError> {
            Ok(self)
        }
    }

    impl Sealed for &str {
        fn into_level(self) -> Result<Level, ParseError> {
            self.parse()
        }
    }

    impl Sealed for String {
        fn into_level(self) -> Result<Level, ParseError> {
            self.parse()
        }
    }

    impl Sealed for &String {
        fn into_level(self) -> Result<Level, ParseError> {
            self.parse()
        }
    }
}
