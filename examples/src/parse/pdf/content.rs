//! The content of a PDF, as both engines return it.

use crate::document::LossKind;

/// The content of a PDF.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The pages in the document's order.
    pub pages: Vec<Page>,
    /// The bookmarks, which a viewer shows beside the pages, in their order.
    pub bookmarks: Vec<Bookmark>,
    /// The facts of the document information dictionary, such as `title` and `author`.
    pub metadata: Vec<(String, String)>,
    /// The losses that concern no single page.
    pub losses: Vec<(LossKind, String)>,
}

/// A page of a PDF.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The text in reading order.
    pub blocks: Vec<Block>,
    /// The parts that are missing from the text, each with its cause; empty for a page that was
    /// read whole.
    pub losses: Vec<(LossKind, String)>,
}

impl Page {
    /// Returns the lines of the page, with a blank line after each block.
    pub fn text(&self) -> String {
        self.blocks.iter().map(|block| block.lines.join("\n") + "\n\n").collect()
    }

    /// Returns the number of letters and digits.
    pub(super) fn letters(&self) -> usize {
        let lines = self.blocks.iter().flat_map(|block| &block.lines);
        lines.map(|line| line.chars().filter(|character| character.is_alphanumeric()).count()).sum()
    }
}

/// A part of a page that stands by itself.
#[derive(Debug, Clone)]
pub struct Block {
    /// The kind of block, by the layout of the page.
    pub kind: BlockKind,
    /// The lines as they are set on the page.
    pub lines: Vec<String>,
    /// The size of the type in points; 0 if the engine does not tell.
    pub size: f32,
    /// The distance of the upper edge from the lower edge of the page in points, if the engine
    /// tells.
    pub top: Option<f32>,
}

/// A kind of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Text whose lines were broken to fit the page.
    Paragraph,
    /// A line in larger type than the text of the page.
    Title,
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
    /// A note or a form's field, which is not part of the page's own text.
    Note,
}

/// A bookmark of a PDF.
#[derive(Debug, Clone, PartialEq)]
pub struct Bookmark {
    /// The level: 1 for the outermost, at most 6.
    pub level: u8,
    /// The title.
    pub title: String,
    /// The index of the page that it leads to.
    pub page: usize,
    /// The place on the page, as in [`Block::top`].
    pub top: Option<f32>,
}
