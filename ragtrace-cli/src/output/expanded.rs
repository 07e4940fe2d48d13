//! Writes the rows of a table one below the other, for a terminal that is too narrow for a line of
//! it: a line for each cell, behind the name of its column.

use ragtrace_store::{display_width, fit};

/// The blanks between a name and its value, and before a value on a line of its own.
const GAP: usize = 2;

/// Returns the lines of all rows, with a blank line between two rows. A value that must not be cut
/// goes to the next line if it does not fit behind its name.
pub(super) fn lines(names: &[&str], rows: &[Vec<String>], is_exact: &[bool], width: usize) -> Vec<String> {
    let name_width = names.iter().map(|name| display_width(name)).max().unwrap_or(0);
    let room = width.saturating_sub(name_width + GAP);
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            lines.push(String::new());
        }
        for ((name, cell), is_exact) in names.iter().zip(row).zip(is_exact) {
            if *is_exact && display_width(cell) > room {
                lines.push((*name).to_owned());
                lines.push(format!("{:GAP$}{cell}", ""));
            } else {
                let pad = name_width - display_width(name) + GAP;
                lines.push(format!("{name}{:pad$}{}", "", fit(cell, room)));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_a_line_and_an_id_is_never_cut() {
        let id = "0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10";
        let row = |text: &str| vec![text.to_owned(), id.to_owned()];
        let rows = [row("ingestion"), row("段階を追って文書を解析するための段階")];
        let shown = lines(&["operation", "trace"], &rows, &[false, true], 40);
        let expected = [
            "operation  ingestion",
            "trace",
            "  0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10",
            "",
            "operation  段階を追って文書を解析するた…",
            "trace",
            "  0199a1c2-7b1e-7a54-9c01-5f2e8d3b9a10",
        ];
        assert_eq!(shown, expected);
        assert!(shown.iter().all(|line| display_width(line) <= 40));
    }
}
