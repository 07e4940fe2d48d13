//! Reads what stands on a page beside its own text: the values of a form's fields, and annotations.

use std::collections::HashMap;

use pdfboss_core::{Annotation, Document as File, FieldType, FormField, ObjRef, Object, Page};

use super::content::{Block, BlockKind};

/// The least size of an annotation's text in bytes of letters at which it counts as a repetition if
/// the page contains it: a shorter one may be contained by chance.
const REPEATED_LETTERS: usize = 12;

/// The values of a form's fields, by the objects that draw them on a page.
#[derive(Debug, Default)]
pub(super) struct Fields {
    by_widget: HashMap<ObjRef, usize>,
    /// The lines of each field, until they are taken.
    lines: Vec<Option<String>>,
}

impl Fields {
    /// Reads the fields of a file.
    pub(super) fn of(file: &File) -> Self {
        let mut fields = Self::default();
        for field in file.form_fields() {
            let Some(line) = line(&field) else { continue };
            fields.by_widget.extend(field.widgets.iter().map(|widget| (widget.object, fields.lines.len())));
            fields.lines.push(Some(line));
        }
        fields
    }

    fn take(&mut self, widget: ObjRef) -> Option<String> {
        self.by_widget.get(&widget).and_then(|field| self.lines[*field].take())
    }

    /// Returns the fields that no page shows.
    pub(super) fn rest(self) -> Vec<Block> {
        self.lines.into_iter().flatten().map(|line| note(&line, None)).collect()
    }
}

/// Returns a field's name and value, as `Name: value`, or `None` if it has no value or a secret
/// one.
fn line(field: &FormField) -> Option<String> {
    let value = match field.field_type? {
        FieldType::Text if field.flags.password() => return None,
        FieldType::Text => field.text().or_else(|| field.rich_text.clone())?,
        FieldType::Choice => {
            let shown = |selected: &String| {
                let option = field.options.iter().find(|option| option.export_value == *selected);
                option.map_or_else(|| selected.clone(), |option| option.name.clone())
            };
            field.selected().iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        FieldType::Button => state(field)?,
        FieldType::Signature => field.signature()?.name?,
    };
    let name = field.alternate_name.as_ref().or(field.partial_name.as_ref()).unwrap_or(&field.name);
    let name = name.trim().trim_end_matches(':');
    let value = value.trim();
    match (name, value) {
        (_, "") => None,
        ("", value) => Some(value.to_owned()),
        (name, value) => Some(format!("{name}: {value}")),
    }
}

/// Returns the state of a check box or of radio buttons: the value that the form sends, or `Off`.
fn state(field: &FormField) -> Option<String> {
    let state = field.state()?;
    let option = field.on_widgets().first().and_then(|widget| field.options.get(*widget));
    Some(option.map_or_else(|| state.to_owned(), |option| option.export_value.clone()))
}

/// Returns the values of the fields on a page and the texts of its annotations, except for those
/// that repeat the page's own text, such as a highlight's.
pub(super) fn notes(file: &File, page: &Page, fields: &mut Fields, text: &dyn Fn() -> String) -> Vec<Block> {
    if !has_notes(file, page) {
        return Vec::new();
    }
    let letters = |text: &str| text.chars().filter(|character| character.is_alphanumeric()).collect::<String>();
    let own = letters(&text());
    let mut notes = Vec::new();
    for annotation in file.annotations(page) {
        let top = annotation.rect.map(|rect| rect.y1);
        let field = annotation.object.and_then(|widget| fields.take(widget));
        let said = said(&annotation).filter(|said| {
            let said = letters(said);
            said.len() < REPEATED_LETTERS || !own.contains(&said)
        });
        notes.extend(field.into_iter().chain(said).map(|text| note(&text, top)));
    }
    notes.retain(|note| note.lines.iter().any(|line| !line.trim().is_empty()));
    notes
}

/// Returns `true` if the page has an annotation that is no link. A manual has thousands of links,
/// and most pages have nothing else.
fn has_notes(file: &File, page: &Page) -> bool {
    let resolved = |object: &Object| file.resolve(object).ok();
    let Some(Object::Array(annotations)) = page.dict().get("Annots").and_then(resolved) else { return false };
    annotations.iter().filter_map(resolved).any(|annotation| {
        let dictionary = annotation.as_dict();
        let subtype = dictionary.and_then(|dictionary| resolved(dictionary.get("Subtype")?));
        let subtype = subtype.as_ref().and_then(Object::as_name).map(|name| name.0.as_str());
        subtype != Some("Link") || dictionary.is_some_and(|dictionary| dictionary.get("Contents").is_some())
    })
}

/// Returns the text of an annotation that is shown. A pop-up repeats its parent's, and a widget's
/// is that of its field.
fn said(annotation: &Annotation) -> Option<String> {
    let is_shown = !annotation.flags.hidden() && !matches!(annotation.subtype.as_str(), "Popup" | "Widget");
    let contents = annotation.contents.clone().filter(|contents| !contents.trim().is_empty());
    let rich = || annotation.markup.as_ref().and_then(|markup| markup.rich_contents.as_deref().map(without_tags));
    is_shown.then(|| contents.or_else(rich)).flatten()
}

/// Returns the text of XHTML, in which rich text is written, with a space for each tag.
fn without_tags(markup: &str) -> String {
    let mut text = String::new();
    for part in markup.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn note(text: &str, top: Option<f32>) -> Block {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.lines().map(|line| line.replace(char::is_control, " ")).collect();
    Block { kind: BlockKind::Note, lines, size: 0.0, top }
}
