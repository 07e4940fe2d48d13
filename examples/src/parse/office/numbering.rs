//! The lists of a Word document: which paragraphs are items, and their marks (ECMA-376, part 1,
//! "Numbering").

use std::collections::HashMap;

use super::xml::{Node, walk};

/// The deepest level of a list.
const LEVELS: usize = 9;

/// The lists of a document.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// By the id of an abstract list, the levels that have bullets.
    bullets: HashMap<String, [bool; LEVELS]>,
    /// By the id of a list, the one of its abstract list.
    lists: HashMap<String, String>,
    /// By the id of a list, the numbers of its last items.
    counts: HashMap<String, [u32; LEVELS]>,
}

impl Numbering {
    /// Reads the part `word/numbering.xml`.
    pub(super) fn of(part: &[u8]) -> Self {
        let mut numbering = Self::default();
        let (mut of_abstract, mut of_list, mut level) = (None, None, 0_usize);
        let _ = walk(part, |node| {
            let element = match node {
                Node::Open(element) => element,
                Node::Close("abstractNum") => {
                    of_abstract = None;
                    return;
                }
                Node::Close("num") => {
                    of_list = None;
                    return;
                }
                _ => return,
            };
            let of = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
            match element.name.as_str() {
                "abstractNum" => of_abstract = Some(of("abstractNumId")),
                "num" => of_list = Some(of("numId")),
                "lvl" => level = of("ilvl").parse().unwrap_or(0),
                "numFmt" if level < LEVELS => {
                    if let Some(id) = &of_abstract {
                        numbering.bullets.entry(id.clone()).or_default()[level] =
                            matches!(&*of("val"), "bullet" | "none");
                    }
                }
                "abstractNumId" => {
                    if let Some(id) = &of_list {
                        numbering.lists.insert(id.clone(), of("val"));
                    }
                }
                _ => {}
            }
        });
        numbering
    }

    /// Returns the mark of the next item of a list, with its indent, or `None` if the paragraph is
    /// no item: the list 0 takes it out of all.
    pub(super) fn mark(&mut self, list: &str, level: usize) -> Option<String> {
        if list == "0" || list.is_empty() {
            return None;
        }
        let level = level.min(LEVELS - 1);
        let bullets = self.lists.get(list).and_then(|of| self.bullets.get(of)).copied().unwrap_or([true; LEVELS]);
        let counts = self.counts.entry(list.to_owned()).or_default();
        counts[level] += 1;
        counts[level + 1..].fill(0);
        let indent = "  ".repeat(level);
        Some(if bullets[level] { format!("{indent}- ") } else { format!("{indent}{}. ", counts[level]) })
    }
}
