//! Reads Markdown: `CommonMark` with tables, footnotes, and front matter, which is left out.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::html;
use super::outline::Outline;

/// Reads Markdown.
pub(super) fn outline(text: &str) -> Outline {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, options) {
        reader.take(event);
    }
    reader.flush();
    reader.outline
}

#[derive(Default)]
struct Reader {
    outline: Outline,
    /// The text of the block being read.
    block: String,
    /// HTML inside Markdown, collected until it is complete.
    html: String,
    /// The number of open lists, whose items are lines and not paragraphs.
    lists: usize,
    in_metadata: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(tag) => self.close(tag),
            Event::Text(_) if self.in_metadata => {}
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.block.push_str(&text);
            }
            Event::SoftBreak => self.block.push(' '),
            Event::HardBreak => self.block.push('\n'),
            Event::Html(html) => self.html.push_str(&html),
            Event::Rule => self.flush(),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::List(_) => {
                self.flush();
                self.lists += 1;
            }
            Tag::MetadataBlock(_) => self.in_metadata = true,
            Tag::Item | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::Table(_) => self.flush(),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                self.outline.heading(depth(level), &self.block);
                self.block.clear();
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists = self.lists.saturating_sub(1);
            }
            TagEnd::TableCell => self.block.push_str(" | "),
            TagEnd::TableRow | TagEnd::TableHead => {
                let row = std::mem::take(&mut self.block);
                self.outline.line(row.trim_end_matches([' ', '|']));
            }
            TagEnd::HtmlBlock => {
                let html = std::mem::take(&mut self.html);
                self.outline.paragraph(&html::outline(&html).text);
            }
            TagEnd::MetadataBlock(_) => self.in_metadata = false,
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::FootnoteDefinition => self.flush(),
            _ => {}
        }
    }

    fn flush(&mut self) {
        if self.lists > 0 {
            self.outline.line(&self.block);
        } else {
            self.outline.paragraph(&self.block);
        }
        self.block.clear();
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
