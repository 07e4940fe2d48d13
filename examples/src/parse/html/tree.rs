//! Parses a page into a tree whose size and depth are bounded by what is read of it.
//!
//! The standard's algorithm looks through all open elements for each tag, and opens formatting
//! elements again in each block, so that a page of nested tags takes time, and even a tree, that
//! grows with its square. Tags that do not matter here are left out before: those of formatting
//! elements, which are inline, and those of elements nested too deeply, as browsers do.

use std::cell::Cell;

use ego_tree::NodeId;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use html5ever::{LocalName, TokenizerResult, local_name};
use scraper::{Html, HtmlTreeSink};

use super::elements::is_block;

/// The deepest nesting of elements, which is what libxml2 reads (`xmlParserMaxDepth`); that of
/// pages that people write is far below 100.
const DEEPEST: usize = 256;

/// The part of a page in which it may say that it is XHTML, in bytes.
const XHTML_HEAD: usize = 2 << 10;

/// Parses a page, or a part of one.
pub(super) fn parse(text: &str) -> Html {
    let sink = HtmlTreeSink::new(Html::new_document());
    let filter = Filter {
        builder: TreeBuilder::new(sink, TreeBuilderOpts::default()),
        is_xhtml: is_xhtml(text),
        depth: Cell::new(0),
        left_out: Cell::new(0),
        foreign: Cell::new(0),
    };
    let tokenizer = Tokenizer::new(filter, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    // Scripts do not run, and the encoding is known.
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.builder.sink.finish()
}

/// Returns `true` if the page says that it is XHTML, in which a tag may close itself.
fn is_xhtml(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(XHTML_HEAD)];
    head.trim_start().starts_with("<?xml") || head.contains("xmlns=\"http://www.w3.org/1999/xhtml\"")
}

/// Leaves out tags between the tokenizer and the tree.
struct Filter {
    builder: TreeBuilder<NodeId, HtmlTreeSink>,
    is_xhtml: bool,
    /// The number of open elements, without those that the next one closes.
    depth: Cell<usize>,
    /// The number of open elements that were left out.
    left_out: Cell<usize>,
    /// The number of open drawings and formulas, whose tags have rules of their own.
    foreign: Cell<usize>,
}

impl Filter {
    fn start(&self, mut tag: Tag, line: u64) -> TokenSinkResult<NodeId> {
        if is_formatting(&tag.name) && tag.attrs.iter().all(|attribute| !may_hide(&attribute.name.local)) {
            return TokenSinkResult::Continue;
        }
        let in_foreign = self.foreign.get() > 0 || is_foreign(&tag.name);
        if self.is_xhtml && tag.self_closing && !in_foreign && !is_void(&tag.name) {
            tag.self_closing = false;
            let end = Tag { kind: TagKind::EndTag, attrs: Vec::new(), ..tag.clone() };
            // What comes next is markup again, also after a script.
            let _ = self.builder.process_token(Token::TagToken(tag), line);
            let _ = self.builder.process_token(Token::TagToken(end), line);
            return TokenSinkResult::Continue;
        }
        if nests(&tag) {
            if self.depth.get() >= DEEPEST {
                self.left_out.set(self.left_out.get() + 1);
                return self.separate(&tag.name, line);
            }
            self.depth.set(self.depth.get() + 1);
            self.foreign.set(self.foreign.get() + usize::from(is_foreign(&tag.name)));
        }
        self.builder.process_token(Token::TagToken(tag), line)
    }

    fn end(&self, tag: Tag, line: u64) -> TokenSinkResult<NodeId> {
        if nests(&tag) {
            if self.left_out.get() > 0 {
                self.left_out.set(self.left_out.get() - 1);
                return self.separate(&tag.name, line);
            }
            self.depth.set(self.depth.get().saturating_sub(1));
            self.foreign.set(self.foreign.get().saturating_sub(usize::from(is_foreign(&tag.name))));
        }
        self.builder.process_token(Token::TagToken(tag), line)
    }

    /// Breaks the line in place of a block's tag.
    fn separate(&self, name: &LocalName, line: u64) -> TokenSinkResult<NodeId> {
        if is_block(name) {
            let attrs = Vec::new();
            let (kind, name) = (TagKind::StartTag, local_name!("br"));
            let tag = Tag { kind, name, self_closing: false, attrs, had_duplicate_attributes: false };
            let _ = self.builder.process_token(Token::TagToken(tag), line);
        }
        TokenSinkResult::Continue
    }
}

impl TokenSink for Filter {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => self.start(tag, line),
            Token::TagToken(tag) => Filter::end(self, tag, line),
            token => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.is_xhtml || self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Returns `true` for the formatting elements (HTML Standard, "the stack of open elements"), which
/// are inline.
fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

fn may_hide(attribute: &str) -> bool {
    matches!(attribute, "hidden" | "style")
}

fn is_foreign(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

/// Returns `true` for an element without content (HTML Standard, "void elements").
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "frame"
            | "basefont"
            | "bgsound"
            | "keygen"
            | "image"
    )
}

/// Returns `true` if elements of the tag's name can stand in each other. Others are closed by the
/// next one, or stand only in some that nest.
fn nests(tag: &Tag) -> bool {
    let closes = matches!(
        &*tag.name,
        "html"
            | "head"
            | "body"
            | "p"
            | "li"
            | "dt"
            | "dd"
            | "tr"
            | "td"
            | "th"
            | "thead"
            | "tbody"
            | "tfoot"
            | "caption"
            | "colgroup"
            | "option"
            | "optgroup"
            | "rt"
            | "rp"
            | "rb"
            | "rtc"
    );
    !closes && !is_void(&tag.name) && !tag.self_closing
}
