//! Reads books in the format EPUB: the chapters in their order, each as a web page.

use std::collections::HashMap;

use super::archive::{Archive, resolved};
use super::dublin_core;
use super::xml::{Node, walk};
use crate::document::LossKind;
use crate::parse::encoding::decode_markup;
use crate::parse::error::ParseError;
use crate::parse::html;
use crate::parse::outline::Outline;

/// Reads a book.
pub(super) fn outline(mut archive: Archive<'_>) -> Result<Outline, ParseError> {
    let mut outline = Outline::default();
    let broken = |what: &str| ParseError::Broken(format!("it has no {what}").into());
    let container = archive.part("META-INF/container.xml")?.ok_or_else(|| broken("container"))?;
    let mut package = None;
    let _ = walk(&container, |node| {
        if let Node::Open(element) = node
            && element.name == "rootfile"
        {
            package = package.take().or(element.attribute("full-path").map(str::to_owned));
        }
    });
    let package = package.ok_or_else(|| broken("package"))?;
    let bytes = archive.part(&package)?.ok_or_else(|| broken("package"))?;
    dublin_core(&bytes, &mut outline);
    for chapter in chapters(&bytes, package.rsplit_once('/').map_or("", |(folder, _)| folder)) {
        let Some(bytes) = archive.part_or_loss(&chapter, &mut outline)? else { continue };
        match decode_markup(&bytes, None) {
            Ok(decoded) => {
                let mut page = html::outline(&decoded.text);
                // The facts of a chapter are not those of the book.
                page.metadata.clear();
                page.losses.splice(0..0, decoded.losses);
                outline.append(page);
            }
            Err(error) => outline.lose(LossKind::Stream, format!("the part {chapter} could not be read: {error}")),
        }
    }
    Ok(outline)
}

/// Returns the parts of the chapters in the order of the book (EPUB 3.3, "spine element").
fn chapters(package: &[u8], folder: &str) -> Vec<String> {
    let mut parts: HashMap<String, String> = HashMap::new();
    let mut order = Vec::new();
    let _ = walk(package, |node| {
        let Node::Open(element) = node else { return };
        let of = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        match element.name.as_str() {
            "item" if of("media-type").contains("html") || of("media-type").is_empty() => {
                parts.insert(of("id"), resolved(folder, &of("href")));
            }
            "itemref" => order.push(of("idref")),
            _ => {}
        }
    });
    order.iter().filter_map(|id| parts.remove(id)).collect()
}
