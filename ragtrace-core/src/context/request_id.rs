//! The id of a request, whose text is written when somebody asks for it.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::id;

/// A request's id: one that was made here (`req-` and 32 hex digits), or one that was given, which
/// is any text. Dereferences to its text.
///
/// An id that is made here is two random numbers. Most requests end before anybody reads their id,
/// and the queue takes the numbers, so the text is written the first time that it is asked for.
#[derive(Clone)]
pub struct RequestId(Form);

#[derive(Clone)]
enum Form {
    Fresh { bits: [u64; 2], text: OnceLock<Box<str>> },
    Given(Box<str>),
}

impl RequestId {
    /// Makes a new id of 128 random bits.
    pub fn fresh() -> Self {
        Self::from_bits([id::random(), id::random()])
    }

    /// Returns the id that has these bits.
    pub(crate) const fn from_bits(bits: [u64; 2]) -> Self {
        Self(Form::Fresh { bits, text: OnceLock::new() })
    }

    /// The length in bytes of an id that was made here.
    pub const FRESH_LENGTH: usize = "req-".len() + 32;

    /// Returns the text of an id that was given.
    pub fn given(&self) -> Option<&str> {
        match &self.0 {
            Form::Fresh { .. } => None,
            Form::Given(text) => Some(text),
        }
    }

    /// Returns the bits of an id that was made here.
    pub(crate) fn bits(&self) -> Option<[u64; 2]> {
        match self.0 {
            Form::Fresh { bits, .. } => Some(bits),
            Form::Given(_) => None,
        }
    }
}

#[cold]
fn text_of([high, low]: [u64; 2]) -> Box<str> {
    let mut text: [u8; RequestId::FRESH_LENGTH] = *b"req-00000000000000000000000000000000";
    text[4..20].copy_from_slice(&id::digits_of(high));
    text[20..].copy_from_slice(&id::digits_of(low));
    id::hex(&text).into()
}

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Fresh { bits, text } => text.get_or_init(|| text_of(*bits)),
            Form::Given(text) => text,
        }
    }
}

impl From<Box<str>> for RequestId {
    fn from(text: Box<str>) -> Self {
        Self(Form::Given(text))
    }
}

impl From<String> for RequestId {
    fn from(text: String) -> Self {
        Self(Form::Given(text.into()))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_made_here_is_its_prefix_and_its_digits() {
        let id = RequestId::from_bits([0x0123_4567_89ab_cdef, 1]);
        assert_eq!(&*id, "req-0123456789abcdef0000000000000001");
        assert_eq!(&*id.clone(), &*id);
        assert_eq!(format!("{id:?}"), "\"req-0123456789abcdef0000000000000001\"");
    }

    #[test]
    fn threads_that_ask_at_once_read_the_same_text() {
        let id = RequestId::fresh();
        let texts = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4).map(|_| scope.spawn(|| id.to_string())).collect();
            asking.into_iter().map(|thread| thread.join().expect("it reads")).collect::<Vec<_>>()
        });
        assert!(texts.iter().all(|text| *text == *id), "{texts:?}");
    }

    #[test]
    fn a_given_id_is_kept_as_it_is_and_has_no_bits() {
        for text in ["", "req-0123456789abcdef0000000000000001", "ünïcödé \0\n", &"long".repeat(5_000)] {
            let id = RequestId::from(text.to_owned());
            assert_eq!((&*id, id.bits()), (text, None));
        }
    }
}
