//! Reads web pages as a browser shows them, without a style sheet of their own.
//!
//! Which elements are blocks, which are not shown, and what a table is follow the HTML Standard's
//! section "Rendering". Every other element is inline, also one of an unknown name, so that no
//! sentence is torn apart. The title and the facts of the head become metadata.
//!
//! The tree is walked without recursion.

mod elements;
mod table;
mod tree;

use std::collections::HashSet;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::Node;
use scraper::node::Element;

use super::flow::Flow;
use super::outline::Outline;
use crate::document::LossKind;
use elements::{heading_level, is_block, is_hidden};
use table::Table;

/// Reads a page.
pub(super) fn outline(text: &str) -> Outline {
    let mut flow = Flow::default();
    read(text, &mut flow);
    let mut outline = flow.finish();
    outline.or_metadata();
    outline
}

/// Reads a page, or a part of one, and adds its blocks.
pub(super) fn read(text: &str, flow: &mut Flow) {
    let page = tree::parse(text);
    let mut reader = Reader {
        flow: std::mem::take(flow),
        layout_tables: table::layout_tables(&page),
        repeatable: text.len(),
        ..Reader::default()
    };
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) => reader.text(text),
                Node::Element(element) => reader.open(element, node.id()),
                _ => {}
            },
            Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    reader.close(element, node.id());
                }
            }
        }
    }
    reader.flush();
    let frames = std::mem::take(&mut reader.frames);
    let without_frames = std::mem::take(&mut reader.without_frames);
    *flow = reader.flow;
    if !frames.is_empty() {
        let names = frames.join(", ");
        flow.outline
            .lose(LossKind::Stream, format!("the page only shows other files in its frames: {names}; give these"));
        // What a browser without frames shows cannot have frames itself.
        read(&without_frames.replace("<frame", "<x-frame"), flow);
    }
}

/// Returns the words of the images in a part of a page, such as a single tag.
pub(super) fn words_of_images(part: &str) -> String {
    let page = tree::parse(part);
    let words = page.tree.values().filter_map(|node| node.as_element()?.attr("alt"));
    words.collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Reader {
    flow: Flow,
    /// The text of the block being read.
    block: String,
    /// The number of open elements that are not shown.
    hidden: usize,
    /// The number of open elements in which white space counts.
    verbatim: usize,
    /// The number of open drawings.
    drawings: usize,
    /// The text of the page's title, if it is open.
    title: Option<String>,
    /// The level of the open heading.
    heading: Option<u8>,
    /// The open table, if it is one of data.
    table: Option<Table>,
    /// The tables that only arrange the page.
    layout_tables: HashSet<NodeId>,
    /// The number of bytes by which cells that span rows may still be repeated.
    repeatable: usize,
    frames: Vec<String>,
    /// The part of the page for a browser without frames.
    without_frames: String,
    is_without_frames: bool,
}

impl Reader {
    fn open(&mut self, element: &Element, id: NodeId) {
        let name = element.name();
        match name {
            "meta" => self.meta(element),
            "title" if self.drawings == 0 => self.title = Some(String::new()),
            "frame" => self.frames.extend(element.attr("src").map(str::to_owned)),
            "noframes" => self.is_without_frames = true,
            _ => {}
        }
        if is_hidden(element) {
            self.hidden += 1;
            return;
        }
        if self.hidden > 0 {
            return;
        }
        match name {
            "svg" => self.drawings += 1,
            "text" if self.drawings > 0 => self.push_apart(""),
            "br" => self.line_break(),
            "img" => self.push_apart(element.attr("alt").unwrap_or_default()),
            "input" => self.input(element),
            "optgroup" => self.push_apart(element.attr("label").unwrap_or_default()),
            "option" | "select" | "button" | "textarea" => self.push_apart(""),
            "rt" => self.block.push('('),
            "q" => self.push("“"),
            "table" if !self.layout_tables.contains(&id) => {
                self.flush();
                self.table = Some(Table::default());
            }
            _ => self.open_in_table(element, name),
        }
    }

    /// Handles the start of an element that is no special one outside of a table of data.
    fn open_in_table(&mut self, element: &Element, name: &str) {
        match (&mut self.table, name) {
            (Some(table), "tr") => table.open_row(),
            (Some(table), "td" | "th") => {
                self.block.clear();
                table.open_cell(element);
            }
            (Some(_), "caption") => self.block.clear(),
            (Some(_), name) if is_block(name) => self.push_apart(""),
            (None, name) if is_block(name) => self.open_block(element, name),
            _ => {}
        }
    }

    fn open_block(&mut self, element: &Element, name: &str) {
        if self.heading.is_some() {
            self.push_apart("");
            return;
        }
        self.flush();
        let number = |name: &str| element.attr(name).and_then(|value| value.trim().parse().ok());
        match name {
            "ul" | "menu" | "dir" | "dl" => self.flow.open_list(None),
            "ol" => self.flow.open_list(Some(number("start").unwrap_or(1))),
            "li" => self.flow.open_item(number("value")),
            "dt" => self.flow.mark(""),
            "dd" => self.flow.mark("  "),
            "pre" | "listing" | "xmp" | "plaintext" => self.verbatim += 1,
            name => self.heading = heading_level(name),
        }
    }

    fn close(&mut self, element: &Element, id: NodeId) {
        let name = element.name();
        match name {
            "title" => {
                let title = self.title.take().unwrap_or_default();
                self.flow.outline.fact("title", &title);
            }
            "noframes" => self.is_without_frames = false,
            _ => {}
        }
        if is_hidden(element) {
            self.hidden = self.hidden.saturating_sub(1);
            return;
        }
        if self.hidden > 0 {
            return;
        }
        match name {
            "svg" => self.drawings = self.drawings.saturating_sub(1),
            "text" if self.drawings > 0 => self.push_apart(""),
            "option" | "select" | "button" | "textarea" => self.push_apart(""),
            "rt" => self.block.push(')'),
            "q" => self.push("”"),
            "table" if !self.layout_tables.contains(&id) => self.close_table(),
            _ => self.close_in_table(name),
        }
    }

    fn close_in_table(&mut self, name: &str) {
        let block = &mut self.block;
        match (&mut self.table, name) {
            (Some(table), "tr") => table.close_row(&mut self.repeatable),
            (Some(table), "td" | "th") => table.close_cell(&std::mem::take(block)),
            (Some(table), "caption") => table.caption = std::mem::take(block),
            (Some(_), name) if is_block(name) => self.push_apart(""),
            (None, name) if is_block(name) => self.close_block(name),
            _ => {}
        }
    }

    fn close_block(&mut self, name: &str) {
        if let Some(level) = self.heading {
            if heading_level(name).is_some() {
                let title = std::mem::take(&mut self.block);
                self.flow.heading(level, &title);
                self.heading = None;
            } else {
                self.push_apart("");
            }
            return;
        }
        self.flush();
        match name {
            "ul" | "menu" | "dir" | "dl" | "ol" => self.flow.close_list(),
            "li" | "dt" | "dd" => self.flow.close_item(),
            "pre" | "listing" | "xmp" | "plaintext" => self.verbatim = self.verbatim.saturating_sub(1),
            _ => {}
        }
    }

    fn close_table(&mut self) {
        let stray = std::mem::take(&mut self.block);
        if let Some(table) = self.table.take() {
            self.flow.paragraph(&table.caption);
            self.flow.table(&table.rows);
        }
        self.flow.paragraph(&stray);
    }

    fn text(&mut self, text: &str) {
        if let Some(title) = &mut self.title {
            title.push_str(text);
        } else if self.is_without_frames {
            self.without_frames.push_str(text);
        } else if self.hidden == 0 {
            self.push(text);
        }
    }

    /// Adds text to the block. White space becomes one space, unless it counts.
    fn push(&mut self, text: &str) {
        if self.verbatim > 0 {
            self.block.push_str(text);
            return;
        }
        for (at, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if at > 0 && !self.block.ends_with([' ', '\n']) {
                self.block.push(' ');
            }
            self.block.push_str(word);
        }
    }

    /// Adds words that stand apart from those before and after, or only separates these.
    fn push_apart(&mut self, words: &str) {
        self.push(" ");
        if !words.is_empty() {
            self.push(words);
            self.push(" ");
        }
    }

    fn line_break(&mut self) {
        if self.heading.is_some() || self.table.is_some() {
            self.push_apart("");
        } else {
            self.block.push('\n');
        }
    }

    /// Adds the value that a control of a form shows.
    fn input(&mut self, element: &Element) {
        let kind = element.attr("type").unwrap_or("text").to_ascii_lowercase();
        let value = match kind.as_str() {
            "hidden" | "password" | "checkbox" | "radio" | "file" | "color" | "range" => None,
            "image" => element.attr("alt"),
            _ => element.attr("value").filter(|value| !value.is_empty()).or_else(|| element.attr("placeholder")),
        };
        self.push_apart(value.unwrap_or_default());
    }

    /// Keeps a fact that the page states about itself.
    fn meta(&mut self, element: &Element) {
        let Some(content) = element.attr("content") else { return };
        let name = element.attr("name").or_else(|| element.attr("property")).unwrap_or_default().to_ascii_lowercase();
        let fact = match name.as_str() {
            "description" | "og:description" | "dc.description" | "dcterms.description" => "description",
            "author" | "article:author" | "dc.creator" | "dcterms.creator" => "author",
            "keywords" => "keywords",
            "date" | "article:published_time" | "dc.date" | "dcterms.date" | "dcterms.created" => "date",
            _ => return,
        };
        self.flow.outline.fact(fact, content);
    }

    /// Ends the block being read.
    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        if self.verbatim > 0 {
            self.flow.block(&block);
        } else {
            self.flow.paragraph(&block);
        }
    }
}
