//! Refuses PDFs whose objects contain themselves.
//!
//! `pdf-extract` follows two kinds of reference by unbounded recursion: from a page to its parent
//! for inherited attributes, and from a form to the forms that it draws. A file in which one of
//! them leads back to its start would overflow the stack, which ends the whole process; so would a
//! very long chain.

use std::collections::HashSet;

use pdf_extract::content::Content;
use pdf_extract::{Dictionary, Document, ObjectId, Stream};

use super::error::ParseError;

/// The deepest chain that is accepted. No sound file has so many levels of either kind.
const MAX_DEPTH: usize = 32;

/// Returns an error if reading `document` would never end.
pub(super) fn refuse(document: &Document) -> Result<(), ParseError> {
    let mut walk = Walk { document, path: Vec::new(), done: HashSet::new() };
    for page in document.page_iter() {
        parents_end(document, page)?;
        let Ok((own, inherited)) = document.get_page_resources(page) else { continue };
        let inherited = inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok());
        for resources in own.into_iter().chain(inherited) {
            for form in forms(document, resources) {
                walk.enter(form.1, resources)?;
            }
        }
    }
    Ok(())
}

fn parents_end(document: &Document, page: ObjectId) -> Result<(), ParseError> {
    let mut node = page;
    for _ in 0..MAX_DEPTH {
        let parent = document.get_dictionary(node).and_then(|dict| dict.get(b"Parent")?.as_reference());
        match parent {
            Ok(parent) => node = parent,
            Err(_) => return Ok(()),
        }
    }
    Err(ParseError::BrokenPdf("its pages are nested without end".into()))
}

/// The forms being drawn, and those that are known to end.
struct Walk<'a> {
    document: &'a Document,
    path: Vec<ObjectId>,
    done: HashSet<ObjectId>,
}

impl<'a> Walk<'a> {
    /// Follows the forms that a form draws. `inherited` are the resources for a form that has none
    /// of its own.
    fn enter(&mut self, id: ObjectId, inherited: &'a Dictionary) -> Result<(), ParseError> {
        if self.path.contains(&id) || self.path.len() >= MAX_DEPTH {
            return Err(ParseError::BrokenPdf("one of its forms draws itself".into()));
        }
        let Ok(stream) = self.document.get_object(id).and_then(|object| object.as_stream()) else { return Ok(()) };
        if self.done.contains(&id) || stream.dict.get(b"Subtype").and_then(|name| name.as_name()).ok() == Some(b"Image")
        {
            return Ok(());
        }
        let resources = self.document.get_dict_in_dict(&stream.dict, b"Resources").unwrap_or(inherited);
        let available = forms(self.document, resources);
        self.path.push(id);
        for drawn in drawn_names(stream) {
            if let Some((_, form)) = available.iter().find(|(name, _)| *name == drawn) {
                self.enter(*form, resources)?;
            }
        }
        self.path.pop();
        self.done.insert(id);
        Ok(())
    }
}

/// Returns the forms and images of `resources`, with their names.
fn forms<'a>(document: &'a Document, resources: &'a Dictionary) -> Vec<(&'a [u8], ObjectId)> {
    let Ok(named) = document.get_dict_in_dict(resources, b"XObject") else { return Vec::new() };
    named.iter().filter_map(|(name, object)| Some((name.as_slice(), object.as_reference().ok()?))).collect()
}

/// Returns the names that the form's `Do` operators draw.
fn drawn_names(form: &Stream) -> Vec<Vec<u8>> {
    let bytes = form.decompressed_content().unwrap_or_else(|_| form.content.clone());
    let Ok(content) = Content::decode(&bytes) else { return Vec::new() };
    let drawn = content.operations.iter().filter(|operation| operation.operator == "Do");
    drawn.filter_map(|operation| Some(operation.operands.first()?.as_name().ok()?.to_vec())).collect()
}
