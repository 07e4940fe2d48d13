//! Reads plain text, and joins lines of a paragraph that were broken to fit a page.

use super::outline::Outline;

/// Reads plain text.
pub(super) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    reflow(text, &mut outline);
    outline
}

/// Adds the paragraphs of `text`: lines up to a blank one belong together, except the items of a
/// list.
pub(super) fn reflow(text: &str, outline: &mut Outline) {
    let mut paragraph = String::new();
    let mut in_list = false;
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if line.is_empty() {
            flush(&mut paragraph, in_list, outline);
            in_list = false;
        } else if is_item(line) {
            flush(&mut paragraph, in_list, outline);
            in_list = true;
            paragraph.push_str(line);
        } else {
            join(&mut paragraph, line);
        }
    }
}

fn flush(paragraph: &mut String, in_list: bool, outline: &mut Outline) {
    if in_list {
        outline.line(paragraph);
    } else {
        outline.paragraph(paragraph);
    }
    paragraph.clear();
}

/// Adds a line to its paragraph. A word that was hyphenated at the line's end becomes one word
/// again.
fn join(paragraph: &mut String, line: &str) {
    let mut ends = paragraph.chars().rev();
    let hyphenated = ends.next() == Some('-') && ends.next().is_some_and(char::is_lowercase);
    if hyphenated && line.starts_with(char::is_lowercase) {
        paragraph.pop();
    } else if !paragraph.is_empty() {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

/// Returns `true` if the line begins an item: `-`, `*`, `•`, `1.` or `1)`, and a space.
fn is_item(line: &str) -> bool {
    let Some((mark, _)) = line.split_once(' ') else { return false };
    let number = mark.strip_suffix(['.', ')']).unwrap_or_default();
    matches!(mark, "-" | "*" | "•" | "–")
        || (!number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
}
