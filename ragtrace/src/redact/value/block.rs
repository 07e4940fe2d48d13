//! Values on the lines below their name, as in YAML.

use super::plain;
use super::site::{Reading, Sign, Site};
use super::verdict::{self, Form};

/// Reads a block scalar or the lines that are indented below a name, or returns `None` if there are
/// none.
pub(super) fn read(text: &str, at: usize, site: &Site) -> Option<Reading> {
    let bytes = text.as_bytes();
    let first = bytes.get(at)?;
    let is_scalar = matches!(first, b'|' | b'>');
    let header = if is_scalar {
        1 + bytes[at + 1..].iter().take(3).take_while(|byte| b"+-123456789".contains(byte)).count()
    } else {
        0
    };
    let rest = &bytes[at + header..];
    let spaces = rest.iter().take(64).take_while(|byte| matches!(byte, b' ' | b'\r')).count();
    let is_comment = is_scalar && rest.get(spaces) == Some(&b'#');
    if site.sign != Sign::Colon || rest.get(spaces) != Some(&b'\n') && !is_comment || !is_key(bytes, site) {
        return None;
    }
    let line_end =
        |from: usize| bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| from + end);
    let own_indent = indent_of(bytes, site.name_start);
    let mut line = line_end(at + header) + 1;
    let (mut start, mut end, mut is_list) = (None, line.min(bytes.len()), false);
    while line < bytes.len() {
        let line_end = line_end(line);
        let content = &bytes[line..line_end];
        let indent = content.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if content.iter().any(|byte| !byte.is_ascii_whitespace()) {
            is_list = if start.is_none() { content[indent..].starts_with(b"- ") } else { is_list };
            let is_item = is_list && !is_scalar && indent == own_indent && content[indent..].starts_with(b"- ");
            if indent <= own_indent && !is_item {
                break;
            }
            start = start.or(Some(line + indent));
            end = line + content.trim_ascii_end().len();
        }
        line = line_end + 1;
    }
    let Some(start) = start else { return Some(Reading::nothing(end)) };
    if !is_scalar && verdict::is_schema(&text[start..end]) {
        return Some(Reading::nothing(end));
    }
    Some(verdict::reading(text, start..end, site, if is_scalar { Form::Quoted } else { Form::Block }))
}

/// Returns `true` if a name is a YAML key: the first of its line, quoted or not.
fn is_key(bytes: &[u8], site: &Site) -> bool {
    let start = site.name_start - usize::from(site.is_name_quoted && site.name_start > 0);
    plain::is_first(bytes, start)
}

/// Returns the indentation of a name's line, including the dash of a list.
fn indent_of(bytes: &[u8], name_start: usize) -> usize {
    let line = bytes[..name_start].iter().rev().take(256).take_while(|byte| **byte != b'\n').count();
    bytes[name_start - line..name_start].iter().take_while(|byte| b" \t".contains(byte)).count()
}
