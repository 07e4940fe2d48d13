//! What a result says of its stage, as far as its type can say it.
//!
//! Generated code does not know types, so it asks the compiler: a probe has a method for the best
//! case, and derefs to a probe with the same method for the next best. Method resolution takes the
//! first whose bounds hold ("autoref specialisation"), with inherent methods only, so no trait
//! needs to be in the user's scope. In a generic function only what the bounds promise is seen: an
//! unbounded `T` has no count, an unbounded `E` gives its type's name.

#![expect(clippy::unnecessary_box_returns, reason = "generated code passes it on: a pointer keeps that small")]

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::ops::Deref;

use crate::event::{ErrorInfo, Failure};
use crate::guard;
use crate::stage::{Countable, panic};

/// Tells a `Result` from anything else.
#[derive(Debug)]
pub struct Probe<'a, T>(AnyProbe<'a, T>);

/// Anything that is not a `Result`: a success.
#[derive(Debug)]
pub struct AnyProbe<'a, T>(&'a T);

impl<'a, T> Probe<'a, T> {
    /// Asks about `output`.
    pub fn new(output: &'a T) -> Self {
        Self(AnyProbe(output))
    }
}

impl<'a, T, E> Probe<'a, Result<T, E>> {
    /// The success value or the error.
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
    /// The value as a success.
    #[expect(clippy::unnecessary_wraps, reason = "the same call as on `Probe`")]
    pub fn split(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

/// Tells what can be counted from what can not.
#[derive(Debug)]
pub struct CountProbe<'a, T: ?Sized>(&'a T, NoCount);

/// Anything that can not be counted.
#[derive(Debug)]
pub struct NoCount;

impl<'a, T: ?Sized> CountProbe<'a, T> {
    /// Asks about `value`.
    pub fn new(value: &'a T) -> Self {
        Self(value, NoCount)
    }
}

impl<T: Countable + ?Sized> CountProbe<'_, T> {
    /// How many items there are, unless the counting panics.
    pub fn count(&self) -> Option<u64> {
        // Where the counting cannot panic, as that of the standard collections, nothing is left of
        // the guard.
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
    /// Nothing that can be counted.
    #[expect(clippy::unused_self, reason = "the same call as on `CountProbe`")]
    pub fn count(&self) -> Option<u64> {
        None
    }
}

/// Reads the most that an error's type offers. First: `Error`, with its chain. It is what is taken,
/// too, where the type is not known yet.
#[derive(Debug)]
pub struct ErrorProbe<'a, E>(KnownProbe<'a, E>);

/// Second: types that are known by name. An `anyhow::Error` has a backtrace besides; what a thread
/// panicked with has a text inside.
#[derive(Debug)]
pub struct KnownProbe<'a, E>(PointerProbe<'a, E>);

/// Third: a pointer to an `Error`, such as `Box<dyn Error + Send + Sync>` and what is made in the
/// way of `anyhow::Error`.
#[derive(Debug)]
pub struct PointerProbe<'a, E>(SharedProbe<'a, E>);

/// Fourth: a pointer to such a pointer, such as `Arc<anyhow::Error>`, as those have it who hand an
/// error to many.
#[derive(Debug)]
pub struct SharedProbe<'a, E>(DisplayProbe<'a, E>);

/// Fifth: `Display`.
#[derive(Debug)]
pub struct DisplayProbe<'a, E>(DebugProbe<'a, E>);

/// Sixth: `Debug`.
#[derive(Debug)]
pub struct DebugProbe<'a, E>(NameProbe<'a, E>);

/// Last: the type's name.
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
    /// Asks about `error`.
    pub fn new(error: &'a E) -> Self {
        Self(KnownProbe(PointerProbe(SharedProbe(DisplayProbe(DebugProbe(NameProbe(error)))))))
    }
}

impl<E: Error> ErrorProbe<'_, E> {
    /// Message and chain.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), self.error())
    }
}

#[cfg(feature = "anyhow")]
impl KnownProbe<'_, anyhow::Error> {
    /// Message, chain, and the backtrace if one was taken.
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
    /// The text of a panic.
    pub fn capture(&self) -> Box<Failure> {
        let text = panic::describe(&**self.error());
        without_chain(type_name::<Box<dyn Any + Send>>(), text.to_owned())
    }
}

impl<E: Deref<Target: Error>> PointerProbe<'_, E> {
    /// Message and chain of what is pointed to.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), &Pointed(self.error(), |error| &**error))
    }
}

impl<E: Deref<Target: Deref<Target: Error>>> SharedProbe<'_, E> {
    /// Message and chain of what is pointed to at last.
    pub fn capture(&self) -> Box<Failure> {
        with_chain(type_name::<E>(), &Pointed(self.error(), |error| &***error))
    }
}

impl<E: Display> DisplayProbe<'_, E> {
    /// The `Display`.
    pub fn capture(&self) -> Box<Failure> {
        without_chain(type_name::<E>(), guard::read("Display", format_args!("{}", self.error())))
    }
}

impl<E: Debug> DebugProbe<'_, E> {
    /// The `Debug`.
    pub fn capture(&self) -> Box<Failure> {
        without_chain(type_name::<E>(), guard::read("Debug", format_args!("{:?}", self.error())))
    }
}

impl<'a, E> NameProbe<'a, E> {
    /// The type's name.
    #[expect(clippy::unused_self, reason = "the same call as on the probes before it")]
    pub fn capture(&self) -> Box<Failure> {
        let name = type_name::<E>();
        without_chain(name, short_type_name(name))
    }

    fn error(&self) -> &'a E {
        self.0
    }
}

/// An error that a pointer of the application's points to. It is looked at where a panic of the
/// pointer's does no harm.
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

/// The most sources that are recorded of an error.
const MOST_SOURCES: usize = 64;
/// The most that are counted beyond these: a chain may loop.
const MOST_COUNTED: usize = 4_096;

/// Not generic, so that each type of error adds a call and no copy.
fn with_chain(type_name: &'static str, error: &dyn Error) -> Box<Failure> {
    let mut failure = without_chain(type_name, guard::read("Display", format_args!("{error}")));
    let chain = &mut failure.error.chain;
    if let Err(text) = guard::call(|| read_chain(error, chain)) {
        chain.push(guard::mark("source", &text));
    }
    failure
}

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

fn without_chain(type_name: &'static str, message: String) -> Box<Failure> {
    let type_name = Cow::Owned(short_type_name(type_name));
    Box::new(Failure { error: ErrorInfo { type_name, message, chain: Vec::new() }, stack_trace: None })
}

/// A type's name without the paths: `Box<dyn Error + Send>` for `alloc::boxed::Box<dyn
/// core::error::Error + …::Send>`.
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
