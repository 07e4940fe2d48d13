//! The JSON in attributes: lists of documents and messages, and metadata.

use ragtrace::RecordItem;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Returns a value as JSON text.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    // This can only fail for a map whose keys are not strings, which is never written here.
    serde_json::to_string(value).unwrap_or_default()
}

/// A text that is JSON already.
#[derive(Clone, Copy)]
pub(crate) struct RawJson<'a>(pub(crate) &'a str);

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(self.0) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => serializer.serialize_str(self.0),
        }
    }
}

/// An item as a document, with everything that is known of it.
pub(crate) struct Document<'a>(pub(crate) &'a RecordItem);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(item) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", item.id())?;
        put_some(&mut map, "score", item.score())?;
        put_some(&mut map, "content", item.content())?;
        put_about(&mut map, item)?;
        map.end()
    }
}

/// An item as a document of LangSmith's clients, with its id and score in the metadata.
pub(crate) struct PageDocument<'a>(pub(crate) &'a RecordItem);

impl Serialize for PageDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(item) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("page_content", item.content().unwrap_or_default())?;
        map.serialize_entry("type", "Document")?;
        map.serialize_entry("id", item.id())?;
        map.serialize_entry("metadata", &DocumentMetadata(item))?;
        map.end()
    }
}

/// The metadata of a document: what has no member of its own.
struct DocumentMetadata<'a>(&'a RecordItem);

impl Serialize for DocumentMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.0.id())?;
        put_some(&mut map, "score", self.0.score())?;
        put_about(&mut map, self.0)?;
        map.end()
    }
}

/// The type of an item, and its origin.
pub(crate) struct Provenance<'a>(pub(crate) &'a RecordItem);

impl Serialize for Provenance<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        put_about(&mut map, self.0)?;
        map.end()
    }
}

fn put_about<M: SerializeMap>(map: &mut M, item: &RecordItem) -> Result<(), M::Error> {
    map.serialize_entry("type", item.item_type())?;
    put_some(map, "source", item.source())?;
    put_some(map, "derived_from", item.derived_from())
}

/// Adds a member, if it has a value.
pub(crate) fn put_some<M: SerializeMap>(
    map: &mut M,
    name: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, &value),
        None => Ok(()),
    }
}

/// Members in order, each of which may be absent.
pub(crate) struct Members<'a, V>(pub(crate) &'a [(&'a str, Option<V>)]);

impl<V> Members<'_, V> {
    /// Returns `true` if all members are absent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, value)| value.is_none())
    }
}

impl<V: Serialize> Serialize for Members<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            put_some(&mut map, name, value.as_ref())?;
        }
        map.end()
    }
}
