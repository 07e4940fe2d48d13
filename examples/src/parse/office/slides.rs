//! Reads presentations: a page for each slide, with its title, its text, its tables and its notes.

use super::archive::Archive;
use super::xml::{Node, walk};
use super::{core_properties, relationships};
use crate::document::{Loss, LossKind};
use crate::parse::error::ParseError;
use crate::parse::outline::{Outline, rows_text};

const PRESENTATION: &str = "ppt/presentation.xml";

/// Reads a presentation.
pub(super) fn outline(mut archive: Archive<'_>) -> Result<Outline, ParseError> {
    let mut outline = Outline::default();
    core_properties(&mut archive, &mut outline);
    let presentation = archive
        .part(PRESENTATION)?
        .ok_or_else(|| ParseError::Broken(format!("the part {PRESENTATION} is missing").into()))?;
    let targets = relationships(&mut archive, PRESENTATION);
    let mut ids = Vec::new();
    let _ = walk(&presentation, |node| {
        if let Node::Open(element) = node
            && element.name == "sldId"
        {
            // The number of the slide is an `id`, too; the relationship's begins with letters.
            ids.extend(element.attributes_named("id").map(str::to_owned));
        }
    });
    let slides = ids.iter().filter_map(|id| targets.iter().find(|(known, ..)| known == id)).map(|(_, _, part)| part);
    for (part, number) in slides.zip(1..) {
        outline.page();
        let from = outline.losses.len();
        slide(&mut archive, part, &mut outline)?;
        for loss in &mut outline.losses[from..] {
            *loss = Loss { page: Some(number), ..loss.clone() };
        }
    }
    Ok(outline)
}

/// Adds a slide, and its notes.
fn slide(archive: &mut Archive<'_>, part: &str, outline: &mut Outline) -> Result<(), ParseError> {
    let Some(bytes) = archive.part_or_loss(part, outline)? else { return Ok(()) };
    add(&bytes, part, "", outline);
    let notes = relationships(archive, part).into_iter().find(|(_, kind, _)| kind.ends_with("/notesSlide"));
    if let Some((_, _, part)) = notes
        && let Some(bytes) = archive.part_or_loss(&part, outline)?
    {
        add(&bytes, &part, "Notes: ", outline);
    }
    Ok(())
}

/// The text of a slide while it is being read.
#[derive(Default)]
struct Shapes {
    title: String,
    /// The lines of the open shape.
    lines: String,
    paragraph: String,
    level: usize,
    is_title: bool,
    /// `true` in a shape that shows the same on all slides: the number, the date, the footer.
    is_furniture: bool,
    is_text: bool,
    rows: Vec<Vec<String>>,
}

/// Adds the shapes of a slide. `prefix` is for notes.
fn add(bytes: &[u8], part: &str, prefix: &str, outline: &mut Outline) {
    let mut shapes = Shapes::default();
    let mut blocks: Vec<String> = Vec::new();
    let outcome = walk(bytes, |node| match node {
        Node::Open(element) => match element.name.as_str() {
            "ph" => {
                let kind = element.attribute("type").unwrap_or_default();
                shapes.is_title = matches!(kind, "title" | "ctrTitle");
                shapes.is_furniture = matches!(kind, "sldNum" | "dt" | "ftr" | "hdr" | "sldImg");
            }
            "pPr" => shapes.level = element.attribute("lvl").and_then(|level| level.parse().ok()).unwrap_or(0),
            "t" => shapes.is_text = true,
            "br" => shapes.paragraph.push('\n'),
            "tr" => shapes.rows.push(Vec::new()),
            _ => {}
        },
        Node::Text(text) if shapes.is_text => shapes.paragraph.push_str(text),
        Node::Text(_) => {}
        Node::Close(name) => match name {
            "t" => shapes.is_text = false,
            "p" => {
                let paragraph = std::mem::take(&mut shapes.paragraph);
                if !paragraph.trim().is_empty() {
                    shapes.lines.push_str(&"  ".repeat(shapes.level.min(8)));
                    shapes.lines.push_str(paragraph.trim());
                    shapes.lines.push('\n');
                }
                shapes.level = 0;
            }
            "tc" => {
                let cell = std::mem::take(&mut shapes.lines);
                shapes.rows.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            "tbl" => blocks.push(rows_text(std::mem::take(&mut shapes.rows))),
            "sp" => {
                let lines = std::mem::take(&mut shapes.lines);
                if shapes.is_title {
                    shapes.title.push_str(&lines);
                } else if !shapes.is_furniture {
                    blocks.push(lines);
                }
                (shapes.is_title, shapes.is_furniture) = (false, false);
            }
            _ => {}
        },
    });
    outline.heading(1, &shapes.title);
    blocks.push(shapes.lines);
    for (block, prefix) in
        blocks.iter().filter(|block| !block.trim().is_empty()).zip(std::iter::once(prefix).chain(std::iter::repeat("")))
    {
        outline.block(&format!("{prefix}{block}"));
    }
    if let Err(error) = outcome {
        outline.lose(LossKind::Stream, format!("the part {part} is damaged {error}"));
    }
}
