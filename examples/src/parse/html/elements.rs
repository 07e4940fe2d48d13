//! Tells how elements are shown: the HTML Standard, section "Rendering".

use scraper::node::Element;

/// Elements that are never shown, or whose content is only for programs that lack something: a
/// browser with scripts, frames and sound shows none of them.
const HIDDEN: [&str; 18] = [
    "head",
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "noframes",
    "noembed",
    "audio",
    "video",
    "datalist",
    "rp",
    "title",
    "param",
    "annotation",
    "annotation-xml",
    "desc",
    "metadata",
];

/// Elements that begin a line and end one ("Flow content", "Sections and headings", "Lists",
/// "Tables", "Form controls").
const BLOCKS: [&str; 62] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "optgroup",
    "option",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "slot",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "xmp",
    "isindex",
    "marquee",
    "object",
    "canvas",
    "noscript",
];

/// Returns `true` if the element is a block.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Returns the level of a heading element.
pub(super) fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

/// Returns `true` if the element and everything in it is not shown. What is only hidden from
/// assistive technology (`aria-hidden`) is shown, and so is what a search in the page finds.
pub(super) fn is_hidden(element: &Element) -> bool {
    let name = element.name();
    let has_attribute = element.attr("hidden").is_some_and(|value| !value.eq_ignore_ascii_case("until-found"));
    HIDDEN.contains(&name)
        || (has_attribute && name != "embed")
        || (name == "dialog" && element.attr("open").is_none())
        || element.attr("style").is_some_and(hides)
}

/// Returns `true` if the declarations of a `style` attribute hide the element.
fn hides(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(property, value)| {
        let value = value.split('!').next().unwrap_or_default().trim();
        let is =
            |name: &str, hidden: &str| property.trim().eq_ignore_ascii_case(name) && value.eq_ignore_ascii_case(hidden);
        is("display", "none") || is("visibility", "hidden") || is("visibility", "collapse")
    })
}
