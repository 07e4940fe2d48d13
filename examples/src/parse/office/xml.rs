//! Walks through XML: elements by their names without prefixes, and text with its entities
//! resolved.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::parse::encoding::decode_markup;

/// The start of an element.
pub(super) struct Element {
    /// The name without its prefix.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// Returns the value of an attribute, by its name without a prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes_named(name).next()
    }

    /// Returns the values of all attributes of this name, which may have several prefixes.
    pub(super) fn attributes_named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A part of XML.
pub(super) enum Node<'a> {
    Open(&'a Element),
    /// The end of an element, by its name without its prefix.
    Close(&'a str),
    Text(&'a str),
}

/// Walks through a part. Entities that the part declares itself are not resolved, so that they
/// cannot multiply.
///
/// # Errors
///
/// The fault at which the walk ended.
pub(super) fn walk(part: &[u8], mut on: impl FnMut(Node<'_>)) -> Result<(), String> {
    let text = decode_markup(part, None).map_err(|error| error.to_string())?.text;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|error| format!("at byte {at}: {error}"))? {
            Event::Start(start) => on(Node::Open(&element(&start))),
            Event::Empty(start) => {
                let element = element(&start);
                on(Node::Open(&element));
                on(Node::Close(&element.name));
            }
            Event::End(end) => on(Node::Close(end.local_name().as_ref())),
            Event::Text(text) => on(Node::Text(&text.xml10_content())),
            Event::CData(text) => on(Node::Text(&text.xml10_content())),
            Event::GeneralRef(entity) => on(Node::Text(&resolved(&entity))),
            Event::Eof => return Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

fn element(start: &BytesStart<'_>) -> Element {
    let mut found = start.attributes();
    let attributes = found.with_checks(false).flatten().map(|attribute| {
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or(attribute.value.clone());
        (attribute.key.local_name().as_ref().to_owned(), value.into_owned())
    });
    Element { name: start.local_name().as_ref().to_owned(), attributes: attributes.collect() }
}

fn resolved(entity: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = entity.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = entity;
    quick_xml::escape::resolve_predefined_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}
