//! Turns the library's layout of a page into blocks.

use pdfboss_output::{Block as Laid, Cell, Line, PageLayout};

use super::content::{Block, BlockKind};

/// Returns the blocks of a page that have words.
pub(super) fn blocks(page: &PageLayout) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(page.blocks.len());
    for laid in &page.blocks {
        match laid {
            Laid::Heading { lines, bbox, .. } => blocks.push(block(BlockKind::Title, lines, bbox.y1)),
            Laid::Paragraph { lines, bbox, .. } => blocks.push(block(BlockKind::Paragraph, lines, bbox.y1)),
            Laid::List { items, .. } => {
                blocks.extend(items.iter().map(|item| block(BlockKind::Item, &item.lines, item.bbox.y1)));
            }
            Laid::Table { rows, bbox } => blocks.extend(rows.iter().map(|cells| row(cells, bbox.y1))),
        }
    }
    blocks.retain(|block| block.lines.iter().any(|line| !line.trim().is_empty()));
    blocks
}

fn block(kind: BlockKind, lines: &[Line], top: f32) -> Block {
    let size = lines.iter().map(|line| line.size).fold(0.0, f32::max);
    Block { kind, lines: lines.iter().map(text).collect(), size, top: Some(top) }
}

/// Returns a row of a table as one line, since its cells stand beside each other.
fn row(cells: &[Cell], top: f32) -> Block {
    let lines = cells.iter().filter_map(|cell| cell.line.as_ref());
    let size = lines.clone().map(|line| line.size).fold(0.0, f32::max);
    let texts: Vec<String> = lines.map(|line| text(line).trim().to_owned()).filter(|text| !text.is_empty()).collect();
    Block { kind: BlockKind::Row, lines: vec![texts.join(" | ")], size, top: Some(top) }
}

fn text(line: &Line) -> String {
    let text: String = line.inlines.iter().map(|inline| inline.text.as_str()).collect();
    if text.contains(|character| plain_mark(character).is_some()) { with_plain_marks(&text) } else { text }
}

fn with_plain_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match plain_mark(character) {
            Some(marks) => plain.push_str(marks),
            None => plain.push(character),
        }
    }
    plain
}

/// Returns the marks that an isolated form of Arabic's vowels stands for. Normalization puts a
/// space before them, which divides the word that they are drawn over.
fn plain_mark(form: char) -> Option<&'static str> {
    Some(match form {
        '\u{fe70}' => "\u{64b}",
        '\u{fe72}' => "\u{64c}",
        '\u{fe74}' => "\u{64d}",
        '\u{fe76}' => "\u{64e}",
        '\u{fe78}' => "\u{64f}",
        '\u{fe7a}' => "\u{650}",
        '\u{fe7c}' => "\u{651}",
        '\u{fe7e}' => "\u{652}",
        '\u{fc5e}' => "\u{64c}\u{651}",
        '\u{fc5f}' => "\u{64d}\u{651}",
        '\u{fc60}' => "\u{64e}\u{651}",
        '\u{fc61}' => "\u{64f}\u{651}",
        '\u{fc62}' => "\u{650}\u{651}",
        '\u{fc63}' => "\u{651}\u{670}",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolated_vowels_of_arabic_do_not_divide_their_words() {
        assert_eq!(with_plain_marks("ر\u{fe76}ب\u{fc61}ما"), "ر\u{64e}ب\u{64f}\u{651}ما");
        assert_eq!(with_plain_marks("plain"), "plain");
    }
}
