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
    line.inlines.iter().map(|inline| inline.text.as_str()).collect()
}
