//! Reads Markdown: `CommonMark` with tables, footnotes, task lists, definition lists, formulas and
//! wiki links. Front matter becomes metadata, and HTML is read as [`html`] does.

use pulldown_cmark::{BlockQuoteKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::flow::Flow;
use super::joining::wants_space;
use super::outline::Outline;
use super::{front_matter, html};

/// Reads Markdown.
pub(super) fn outline(text: &str) -> Outline {
    // The library would also take two rules in the middle of a text for a block of metadata.
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_WIKILINKS;
    let mut reader = Reader::default();
    let text = front_matter::read(text, &mut reader.flow.outline);
    for event in Parser::new_ext(text, options) {
        reader.take(event);
    }
    reader.flush();
    reader.read_html();
    let mut outline = reader.flow.finish();
    outline.or_metadata();
    outline
}

#[derive(Default)]
struct Reader {
    flow: Flow,
    /// The text of the block being read.
    block: String,
    /// HTML between the blocks, collected until something else follows. Its tags may be in several
    /// blocks.
    html: String,
    /// The rows of the open table.
    rows: Vec<Vec<String>>,
    /// `true` after the end of a line in a paragraph.
    is_broken: bool,
    /// `true` in a heading or a table, which have no lines.
    is_one_line: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) => {
                self.join(&text);
                self.block.push_str(&text);
            }
            Event::Code(text) => self.push(&text),
            Event::InlineMath(text) => self.push(&format!("${text}$")),
            Event::DisplayMath(text) => self.push(&format!("$${text}$$")),
            Event::FootnoteReference(label) => self.push(&format!("[{label}]")),
            Event::SoftBreak => self.is_broken = true,
            Event::HardBreak => self.line_break(),
            Event::Html(html) => self.html.push_str(&html),
            Event::InlineHtml(tag) => self.tag(&tag),
            Event::TaskListMarker(is_done) => self.flow.extend_mark(if is_done { "[x] " } else { "[ ] " }),
            Event::Rule => {
                self.flush();
                self.read_html();
            }
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if !matches!(
            tag,
            Tag::Emphasis
                | Tag::Strong
                | Tag::Strikethrough
                | Tag::Superscript
                | Tag::Subscript
                | Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell
        ) {
            self.flush();
            if !matches!(tag, Tag::HtmlBlock) {
                self.read_html();
            }
        }
        match tag {
            Tag::List(start) => self.flow.open_list(*start),
            Tag::Item => self.flow.open_item(None),
            Tag::DefinitionList => self.flow.open_list(None),
            Tag::DefinitionListTitle => self.flow.mark(""),
            Tag::DefinitionListDefinition => self.flow.mark("  "),
            Tag::FootnoteDefinition(label) => self.flow.prefix(format!("[{label}] ")),
            Tag::BlockQuote(Some(kind)) => self.flow.prefix(format!("{}: ", kind_name(*kind))),
            Tag::Heading { .. } => self.is_one_line = true,
            Tag::Table(_) => {
                self.rows.clear();
                self.is_one_line = true;
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let title = std::mem::take(&mut self.block);
                self.flow.heading(depth(level), &title);
                self.is_one_line = false;
            }
            TagEnd::CodeBlock => {
                let code = std::mem::take(&mut self.block);
                self.flow.block(&code);
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.block);
                self.rows.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => {
                self.flow.table(&std::mem::take(&mut self.rows));
                self.is_one_line = false;
            }
            TagEnd::List(_) | TagEnd::DefinitionList => {
                self.flush();
                self.read_html();
                self.flow.close_list();
            }
            TagEnd::Item | TagEnd::DefinitionListTitle | TagEnd::DefinitionListDefinition => {
                self.flush();
                self.read_html();
                self.flow.close_item();
            }
            TagEnd::Paragraph | TagEnd::FootnoteDefinition | TagEnd::BlockQuote(_) => self.flush(),
            _ => {}
        }
        self.is_broken = false;
    }

    fn push(&mut self, text: &str) {
        self.join(text);
        self.block.push_str(text);
    }

    /// Separates `text` from the line before. A line that is broken at a hyphen goes on after it.
    fn join(&mut self, text: &str) {
        let is_at_hyphen = || {
            let before = self.block.strip_suffix('-').unwrap_or_default();
            before.ends_with(char::is_alphanumeric) && text.starts_with(char::is_alphanumeric)
        };
        if self.is_broken && wants_space(&self.block, text) && !is_at_hyphen() {
            self.block.push(' ');
        }
        self.is_broken = false;
    }

    fn line_break(&mut self) {
        self.is_broken = false;
        self.block.push(if self.is_one_line { ' ' } else { '\n' });
    }

    /// Handles a tag of HTML in a paragraph. Only its words and line breaks are shown.
    fn tag(&mut self, tag: &str) {
        let is = |name: &str| {
            let rest = tag
                .get(1..=name.len())
                .filter(|start| start.eq_ignore_ascii_case(name))
                .map(|_| &tag[name.len() + 1..]);
            rest.is_some_and(|rest| rest.starts_with(|next: char| !next.is_ascii_alphanumeric()))
        };
        if is("br") {
            self.line_break();
        } else if is("img") {
            let words = html::words_of_images(tag);
            self.push(&words);
        } else if ["p", "/p", "div", "/div", "li", "/li", "td", "/td", "tr", "/tr"].iter().any(|name| is(name)) {
            self.is_broken = true;
        }
    }

    /// Adds the HTML that has been collected.
    fn read_html(&mut self) {
        let html = std::mem::take(&mut self.html);
        if !html.is_empty() {
            html::read(&html, &mut self.flow);
        }
    }

    fn flush(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.flow.paragraph(&block);
        self.is_broken = false;
    }
}

fn kind_name(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
