//! The trait for values with a number of items.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// A success value whose items are counted. The number becomes the `count` of the stage that
/// returns the value.
///
/// The trait is implemented for the standard collections, slices and arrays, and for references and
/// smart pointers to them.
///
/// # Examples
///
/// Implement the trait for your own types:
///
/// ```
/// struct Batch { chunks: Vec<String> }
///
/// impl ragtrace::Countable for Batch {
///     fn count(&self) -> usize {
///         self.chunks.len()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the items of `{Self}` cannot be counted",
    note = "implement `ragtrace::Countable` for `{Self}`, or record the number yourself: `ok(|out| count = out.len())`"
)]
pub trait Countable {
    /// Returns the number of items.
    fn count(&self) -> usize;
}

macro_rules! lengths {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> Countable for $type {
            fn count(&self) -> usize {
                self.len()
            }
        }
    )*};
}

lengths! {
    [T] [T],
    [T, const N: usize] [T; N],
    [T] Vec<T>,
    [T] VecDeque<T>,
    [T] LinkedList<T>,
    [T] BinaryHeap<T>,
    [T] BTreeSet<T>,
    [K, V] BTreeMap<K, V>,
    [T, S] HashSet<T, S>,
    [K, V, S] HashMap<K, V, S>,
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Countable + ?Sized> Countable for $pointer {
            fn count(&self) -> usize {
                (**self).count()
            }
        }
    )*};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Countable + ToOwned + ?Sized> Countable for Cow<'_, T> {
    fn count(&self) -> usize {
        (**self).count()
    }
}
