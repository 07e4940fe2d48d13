//! Reads the documents of office programs, and books.
//!
//! All of them are ZIP archives of XML: the parts are unpacked with a [bound](archive) on their
//! sizes, and each part that is missing or damaged is a loss of its document.

mod archive;
mod book;
mod numbering;
mod sheets;
mod slides;
mod word;
mod xml;

use super::error::ParseError;
use super::outline::Outline;
use crate::document::Format;
use archive::Archive;
use xml::{Node, walk};

/// Reads a document of `format`, which is one of those that [are archives](Format::is_office).
pub(super) fn outline(bytes: &[u8], format: Format) -> Result<Outline, ParseError> {
    match format {
        Format::Spreadsheet => sheets::outline(bytes),
        Format::Epub => book::outline(Archive::open(bytes)?),
        Format::Pptx => slides::outline(Archive::open(bytes)?),
        _ => word::outline(Archive::open(bytes)?),
    }
}

/// Adds the facts that Office Open XML states about a document (ECMA-376, part 2, "Core
/// properties").
fn core_properties(archive: &mut Archive<'_>, outline: &mut Outline) {
    let Ok(Some(part)) = archive.part("docProps/core.xml") else { return };
    dublin_core(&part, outline);
}

/// Adds the facts of a part in the terms of the Dublin Core.
fn dublin_core(part: &[u8], outline: &mut Outline) {
    let mut text: Option<String> = None;
    let _ = walk(part, |node| match node {
        Node::Open(element) if fact(&element.name).is_some() => text = Some(String::new()),
        Node::Text(more) => text.iter_mut().for_each(|text| text.push_str(more)),
        Node::Close(name) => {
            if let Some((name, value)) = fact(name).zip(text.take()) {
                outline.fact(name, &value);
            }
        }
        Node::Open(_) => {}
    });
}

fn fact(name: &str) -> Option<&'static str> {
    Some(match name {
        "title" => "title",
        "creator" => "author",
        "subject" => "subject",
        "description" => "description",
        "keywords" => "keywords",
        "language" => "language",
        "created" | "date" => "date",
        "publisher" => "publisher",
        _ => return None,
    })
}

/// The targets of a part's relationships by their ids, with their types.
fn relationships(archive: &mut Archive<'_>, part: &str) -> Vec<(String, String, String)> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let mut found = Vec::new();
    let Ok(Some(bytes)) = archive.part(format!("{folder}/_rels/{name}.rels").trim_start_matches('/')) else {
        return found;
    };
    let _ = walk(&bytes, |node| {
        if let Node::Open(element) = node
            && element.name == "Relationship"
        {
            let of = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
            found.push((of("Id"), of("Type"), archive::resolved(folder, &of("Target"))));
        }
    });
    found
}
