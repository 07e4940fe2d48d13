//! Reads a result as far as its type allows.
//!
//! Generated code does not know types, so it leaves the choice to the compiler. A probe has a
//! method for the best case, and dereferences to another probe with the same method for the next
//! best case. Method resolution selects the first whose bounds hold ("autoref specialization").
//! Only inherent methods are involved, so no trait has to be in the user's scope. In a generic
//! function only declared bounds count: a value of an unbounded type `T` has no count, and for an
//! unbounded error type `E` only its name is recorded.

#![expect(
    clippy::unnecessary_box_returns,
    reason = "generated code moves the result, and moves of a pointer are small"
)]

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::ops::Deref;

use crate::event::{ErrorInfo, Failure};
use crate::guard;
use crate::stage::{Countable, panic};

/// Distinguishes a `Result` from any other type.
#[derive(Debug)]
pub struct Probe<'a, T>(AnyProbe<'a, T>);

/// A value that is not a `Result` and counts as a success.
#[derive(Debug)]
pub struct AnyProbe<'a, T>(&'a T);

impl<'a, T> Probe<'a, T> {
    /// Creates a probe of `output`.
    pub fn new(output: &'a T) -> Self {
        Self(AnyProbe(output))
    }
}

impl<'a, T, E> Probe<'a, Result<T, E>> {
    /// Returns the success value or the error.
    pub fn split(&self) -> Result<&'a T, &'a E> {
        self.0.0.as_ref()
    }
}

impl<'a, T> Deref for Probe<'a, T> {
    type Target = AnyProbe<'a, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, T> AnyProbe<'a, T> {
    /// Returns the value as a success.
    #[expect(clippy::unnecessary_wraps, reason = "must have the signature of the method on `Probe`")]
    pub fn split(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

/// Distinguishes a value that can be counted from one that cannot.
#[derive(Debug)]
pub struct CountProbe<'a, T: ?Sized>(&'a T, NoCount);

/// A value that cannot be counted.
#[derive(Debug)]
pub struct NoCount;

impl<'a, T: ?Sized> CountProbe<'a, T> {
    /// Creates a probe of `value`.
    pub fn new(value: &'a T) -> Self {
        Self(value, NoCount)
    }
}

impl<T: Countable + ?Sized> CountProbe<'_, T> {
    /// Returns the number of items, or `None` if counting panics.
    pub fn count(&self) -> Option<u64> {
        // If counting cannot panic, as with the standard collections, the guard is optimized away.
        guard::call(|| self.0.count() as u64).ok()
    }
}

impl<T: ?Sized> Deref for CountProbe<'_, T> {
    type Target = NoCount;

    fn deref(&self) -> &NoCount {
        &self.1
    }
}

impl NoCount {
    /// Returns `None`, because the value cannot be counted.
    #[expect(clippy::unused_self, reason = "must have the signature of the method on `CountProbe`")]
    pub fn count(&self) -> Option<u64> {
        None
    }
}

/// Captures as much as an error's type offers. This first probe is for types that implement
/// `Error`. It is also selected while the type is not known yet.
#[derive(Debug)]
pub struct ErrorProbe<'a, E>(KnownProbe<'a, E>);

/// The second probe, for specific types: `anyhow::Error`, which has a backtrace, and the payload of
/// a panic, which contains a text.
#[derive(Debug)]
pub struct KnownProbe<'a, E>(PointerProbe<'a, E>);

/// The third probe, for pointers to an `Error`, such as `Box<dyn Error + Send + Sync>` and types
/// like `anyhow::Error`.
#[derive(Debug)]
pub struct PointerProbe<'a, E>(SharedProbe<'a, E>);

/// The fourth probe, for pointers to such pointers, such as an `Arc<anyhow::Error>` that is shared
/// by several owners.
#[derive(Debug)]
pub struct SharedProbe<'a, E>(DisplayProbe<'a, E>);

/// The fifth probe, for types that implement `Display`.
#[derive(Debug)]
pub struct DisplayProbe<'a, E>(DebugProbe<'a, E>);

/// The sixth probe, for types that implement `Debug`.
#[derive(Debug)]
pub struct DebugProbe<'a, E>(NameProbe<'a, E>);

/// The last probe, which captures only the type's name.
#[derive(Debug)]
pub struct NameProbe<'a, E>(&'a E);

macro_rules! next_probe {
    ($($probe:ident => $next:ident),*) => {$(
        impl<'a, E> Deref for $probe<'a, E> {
            type Target = $next<'a, E>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )*};
}

next_probe! {
    ErrorProbe => KnownProbe,
    KnownProbe => PointerProbe,
    PointerProbe => SharedProbe,
    SharedProbe => DisplayProbe,
    DisplayProbe => DebugProbe,
    DebugProbe => NameProbe
}

impl<'a, E> ErrorProbe<'a, E> {
    /// Creates a probe of `error`.
    pub fn new(error: &'a E) -> Self {
        Self(KnownProbe(PointerProbe(SharedProbe(DisplayProbe(DebugProbe(NameProbe(error)))))))
    }
}

impl<E: Error> ErrorProbe<'_, E> {
    /// Captures the message and the chain of sources.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), self.error())
    }
}

#[cfg(feature = "anyhow")]
impl KnownProbe<'_, anyhow::Error> {
    /// Captures the message, the chain of sources, and the backtrace if there is one.
    pub fn capture(&self) -> Box<Failure> {
        let error = self.error();
        let mut failure = with_chain(type_name::<anyhow::Error>(), &**error);
        let backtrace = error.backtrace();
        let is_taken = backtrace.status() == std::backtrace::BacktraceStatus::Captured;
        failure.stack_trace = is_taken.then(|| backtrace.to_string());
        failure
    }
}

impl KnownProbe<'_, Box<dyn Any + Send>> {
    /// Captures the text of a panic.
    pub fn capture(&self) -> Box<Failure> {
        let text = panic::describe(&**self.error());
        without_chain(type_name::<Box<dyn Any + Send>>(), text.to_owned())
    }
}

impl<E: Deref<Target: Error>> PointerProbe<'_, E> {
    /// Captures the message and the chain of the error pointed to.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), &Pointed(self.error(), |error| &**error))
    }
}

impl<E: Deref<Target: Deref<Target: Error>>> SharedProbe<'_, E> {
    /// Captures the message and the chain of the error pointed to by the inner pointer.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), &Pointed(self.error(), |error| &***error))
    }
}

impl<E: Display> DisplayProbe<'_, E> {
    /// Captures the `Display`.
    pub fn capture(&self) -> Box<Failure> {
        without_chain(type_name::<E>(), guard::read("Display", format_args!("{}", self.error())))
    }
}

impl<E: Debug> DebugProbe<'_, E> {
    /// Captures the `Debug`.
    pub fn capture(&self) -> Box<Failure> {
        without_chain(type_name::<E>(), guard::read("Debug", format_args!("{:?}", self.error())))
    }
}

impl<'a, E> NameProbe<'a, E> {
    /// Captures the type's name.
    #[expect(clippy::unused_self, reason = "must have the signature of the method on the other probes")]
    pub fn capture(&self) -> Box<Failure> {
        let name = type_name::<E>();
        without_chain(name, short_type_name(name))
    }

    fn error(&self) -> &'a E {
        self.0
    }
}

/// An error behind a pointer that the application implements. The pointer is dereferenced only
/// where its panic is caught.
struct Pointed<'a, E, T: ?Sized>(&'a E, fn(&'a E) -> &'a T);

impl<T: Error + ?Sized, E> Error for Pointed<'_, E, T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        (self.1)(self.0).source()
    }
}

impl<T: Error + ?Sized, E> Display for Pointed<'_, E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt((self.1)(self.0), f)
    }
}

impl<T: Error + ?Sized, E> Debug for Pointed<'_, E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt((self.1)(self.0), f)
    }
}

/// The maximum number of an error's sources that are recorded.
const MOST_SOURCES: usize = 64;
/// The maximum number of further sources that are counted, because a chain may be cyclic.
const MOST_COUNTED: usize = 4_096;

/// Not generic, so that each type of error adds only a call to the program and not a copy of this
/// function.
fn with_chain(type_name: &'static str, error: &dyn Error) -> Box<Failure> {
    let mut failure = without_chain(type_name, guard::read("Display", format_args!("{error}")));
    let chain = &mut failure.error.chain;
    if let Err(text) = guard::call(|| read_chain(error, chain)) {
        chain.push(guard::mark("source", &text));
    }
    failure
}

/// Appends the messages of the sources of `error` to `chain`.
fn read_chain(error: &dyn Error, chain: &mut Vec<String>) {
    let mut sources = std::iter::successors(error.source(), |&error| error.source());
    for source in sources.by_ref().take(MOST_SOURCES) {
        chain.push(guard::read("Display", format_args!("{source}")));
    }
    let more = sources.take(MOST_COUNTED).count();
    if more > 0 {
        let at_least = if more == MOST_COUNTED { "at least " } else { "" };
        chain.push(format!("…[truncated {at_least}{more} sources]"));
    }
}

/// Creates a failure without sources or a backtrace.
fn without_chain(type_name: &'static str, message: String) -> Box<Failure> {
    let type_name = Cow::Owned(short_type_name(type_name));
    Box::new(Failure { error: ErrorInfo { type_name, message, chain: Vec::new() }, stack_trace: None })
}

/// Removes the paths from a type's name: `alloc::boxed::Box<dyn core::error::Error + …::Send>`
/// becomes `Box<dyn Error + Send>`.
fn short_type_name(full: &str) -> String {
    let mut short = String::with_capacity(full.len());
    for part in full.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_name_loses_its_paths() {
        let cases = [
            ("std::io::error::Error", "Error"),
            ("alloc::boxed::Box<dyn core::error::Error + core::marker::Send>", "Box<dyn Error + Send>"),
            ("&my::Error<[u8; 3], (a::B, c::D)>", "&Error<[u8; 3], (B, D)>"),
            ("str", "str"),
        ];
        for (full, short) in cases {
            assert_eq!(short_type_name(full), short);
        }
    }
}
