//! Values that cannot be read: the application's implementations fail, and its functions still
//! return what they return.

use std::error::Error;
use std::fmt;

use ragtrace::testing::{self, Captured};
use ragtrace::{Countable, ToValue, Value, traced_stage};

/// The way in which reading an error fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// `Display` writes a part and returns an error.
    Fails,
    FailsAtOnce,
    /// `Display` writes a part and panics.
    Panics,
    /// `Display` panics with a payload that panics when it is dropped.
    PanicsTwice,
    /// `source` panics.
    Source,
    /// `source` returns the error itself.
    Loops,
}

#[derive(Clone, Copy)]
struct Faulty(Fault);

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("once more");
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Fault::FailsAtOnce {
            return Err(fmt::Error);
        }
        f.write_str("a part")?;
        match self.0 {
            Fault::Fails => Err(fmt::Error),
            Fault::Panics => panic!("no text"),
            Fault::PanicsTwice => std::panic::panic_any(PanicsInDrop),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Faulty {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.0 {
            Fault::Source => panic!("no source"),
            Fault::Loops => Some(&Faulty(Fault::Loops)),
            _ => None,
        }
    }
}

/// An error that implements only `Debug`.
struct Debugged(Faulty);

impl fmt::Debug for Debugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A pointer to an error that does not exist.
struct Dangling;

impl std::ops::Deref for Dangling {
    type Target = dyn Error;

    fn deref(&self) -> &Self::Target {
        panic!("it points to nothing");
    }
}

/// An error whose source is the faulty one.
#[derive(Debug)]
struct Around(Faulty);

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around it")
    }
}

impl Error for Around {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[traced_stage]
fn faulty(fault: Fault) -> Result<(), Faulty> {
    Err(Faulty(fault))
}

#[traced_stage]
async fn faulty_later(fault: Fault) -> Result<(), Faulty> {
    Err(Faulty(fault))
}

#[traced_stage]
fn debugged() -> Result<(), Debugged> {
    Err(Debugged(Faulty(Fault::Panics)))
}

#[traced_stage]
fn dangling() -> Result<(), Dangling> {
    Err(Dangling)
}

#[traced_stage]
fn around(fault: Fault) -> Result<(), Around> {
    Err(Around(Faulty(fault)))
}

#[traced_stage]
fn any(fault: Fault) -> anyhow::Result<()> {
    Err(anyhow::Error::new(Faulty(fault)))
}

fn error(captured: &Captured, stage: &str) -> (String, Vec<String>) {
    let error = captured.stage(stage).failed().one().error().cloned().unwrap();
    (error.message().to_owned(), error.chain().to_vec())
}

#[test]
fn an_error_that_cannot_be_read_is_returned_and_recorded_as_far_as_it_could() {
    let panicked = "a part[could not be read: its `Display` panicked: no text]";
    let cases = [
        (Fault::Fails, "a part"),
        (Fault::FailsAtOnce, "[could not be read: its `Display` failed]"),
        (Fault::Panics, panicked),
        (Fault::PanicsTwice, "a part[could not be read: its `Display` panicked: a value that is not a text]"),
    ];
    for (fault, expected) in cases {
        let ((), captured) = testing::capture_sync(|| {
            assert!(faulty(fault).is_err_and(|error| error.0 == fault), "the caller gets what the function returned");
            assert!(futures_util::FutureExt::now_or_never(faulty_later(fault)).unwrap().is_err());
            assert!(any(fault).is_err());
            assert!(around(fault).is_err());
        });
        for stage in ["faulty", "faulty_later", "any"] {
            assert_eq!(error(&captured, stage), (expected.to_owned(), Vec::new()), "{stage}");
        }
        assert_eq!(error(&captured, "around"), ("around it".to_owned(), vec![expected.to_owned()]));
        assert_eq!(captured.records().len(), 8);
    }
}

#[test]
fn what_else_an_error_is_read_by_may_panic_too() {
    let ((), captured) = testing::capture_sync(|| {
        assert!(debugged().is_err());
        assert!(dangling().is_err());
        assert!(faulty(Fault::Source).is_err());
    });
    let only = |text: &str| (text.to_owned(), Vec::new());
    assert_eq!(error(&captured, "debugged"), only("a part[could not be read: its `Debug` panicked: no text]"));
    let (message, chain) = error(&captured, "dangling");
    let nothing = "panicked: it points to nothing]";
    assert!(message.ends_with(nothing) && chain.len() == 1 && chain[0].ends_with(nothing), "{message} {chain:?}");
    let of_source = "[could not be read: its `source` panicked: no source]";
    assert_eq!(error(&captured, "faulty"), ("a part".to_owned(), vec![of_source.to_owned()]));
}

/// An error with a given number of sources.
#[derive(Debug)]
struct Nested(u32, Option<Box<Self>>);

impl Nested {
    fn with_sources(number: u32) -> Self {
        (0..number).fold(Self(0, None), |inner, n| Self(n + 1, Some(Box::new(inner))))
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}", self.0)
    }
}

impl Error for Nested {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}

#[traced_stage]
fn nested(number: u32) -> Result<(), Nested> {
    Err(Nested::with_sources(number))
}

#[test]
fn a_chain_that_is_too_long_or_loops_is_cut_with_a_mark() {
    for (number, expected) in [(64, None), (65, Some(1)), (1_000, Some(936))] {
        let ((), captured) = testing::capture_sync(|| assert!(nested(number).is_err()));
        let (_, chain) = error(&captured, "nested");
        assert_eq!(chain[63], format!("level {}", number - 64));
        let mark = expected.map(|left_out| format!("…[truncated {left_out} sources]"));
        assert_eq!(chain.get(64), mark.as_ref());
    }
    let ((), captured) = testing::capture_sync(|| assert!(faulty(Fault::Loops).is_err()));
    let (_, chain) = error(&captured, "faulty");
    assert_eq!((chain.len(), &*chain[64]), (65, "…[truncated at least 4096 sources]"));
}

/// A value of the application that panics when it is recorded.
struct Unreadable;

impl ToValue for Unreadable {
    fn to_value(&self) -> Value {
        panic!("no value");
    }
}

/// A batch that cannot be counted.
struct Batch;

impl Countable for Batch {
    fn count(&self) -> usize {
        panic!("no number");
    }
}

#[traced_stage(
    fields(value = Unreadable, maybe = Some(&Unreadable), shown = %Faulty(Fault::Panics), seen = ?Faulty(Fault::Panics), part = %Faulty(Fault::Fails), after = 7),
    ok(|_| of_result = Unreadable, done = true),
    record(note: Unreadable)
)]
fn fields() -> Batch {
    record!(note = Unreadable);
    Batch
}

#[test]
fn a_field_that_panics_is_recorded_with_a_mark_and_the_others_as_they_are() {
    let (_, captured) = testing::capture_sync(fields);
    let record = captured.stage("fields").completed().one();
    let text = |name: &str| record.field(name).unwrap().to_string();
    for name in ["value", "maybe", "of_result", "note"] {
        assert_eq!(text(name), "[could not be read: its `to_value` panicked: no value]", "{name}");
    }
    assert_eq!(text("shown"), "a part[could not be read: its `Display` panicked: no text]");
    assert_eq!(text("seen"), "a part[could not be read: its `Debug` panicked: no text]");
    assert_eq!((text("part"), text("after"), text("done")), ("a part".into(), "7".into(), "true".into()));
    assert_eq!(record.count(), None, "what cannot be counted has no count");
}
