//! Reads tables of separated values (RFC 4180): a line for each row, with a bar between two cells.
//!
//! The separator is the one of comma, semicolon, tab and bar that divides the first rows into the
//! most cells, equally many in each.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::outline::Outline;

/// The number of rows by which the separator is found.
const SAMPLE: usize = 20;

/// Reads a table.
pub(super) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    let separator = separator(text);
    outline.table(Rows::of(text, separator).filter(|row| row.iter().any(|cell| !cell.trim().is_empty())));
    outline
}

/// Returns the separator of the cells.
fn separator(text: &str) -> u8 {
    let cells = |separator: u8| {
        let counts: Vec<usize> = Rows::of(text, separator).take(SAMPLE).map(|row| row.len()).collect();
        let first = counts.first().copied().unwrap_or(0);
        let equal = counts.iter().filter(|count| **count == first).count();
        if first > 1 { equal * first } else { 0 }
    };
    // The last of several that are equally good, so the usual one comes last.
    *b"|;\t,".iter().max_by_key(|separator| cells(**separator)).unwrap_or(&b',')
}

/// The rows of a table.
struct Rows<'a> {
    reader: Reader,
    rest: &'a [u8],
    cell: Vec<u8>,
    is_ended: bool,
}

impl<'a> Rows<'a> {
    fn of(text: &'a str, separator: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(separator).build();
        Self { reader, rest: text.as_bytes(), cell: vec![0; 1 << 10], is_ended: false }
    }
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        let mut row = Vec::new();
        let mut length = 0;
        while !self.is_ended {
            let (result, read, written) = self.reader.read_field(self.rest, &mut self.cell[length..]);
            self.rest = &self.rest[read..];
            length += written;
            match result {
                // An empty input tells the reader that this is the end.
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => self.cell.resize(self.cell.len() * 2, 0),
                ReadFieldResult::Field { record_end } => {
                    row.push(String::from_utf8_lossy(&self.cell[..length]).into_owned());
                    length = 0;
                    if record_end {
                        return Some(row);
                    }
                }
                ReadFieldResult::End => self.is_ended = true,
            }
        }
        (!row.is_empty()).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_divided_by_what_divides_them_best() {
        let cases = [
            ("Model,Volume\nP-100,\"40 l, or 80 l\"\n,90 l\n", "Model | Volume\nP-100 | 40 l, or 80 l\n | 90 l"),
            ("Modell;Preis\nP-100;4,50\nP-200;5,00", "Modell | Preis\nP-100 | 4,50\nP-200 | 5,00"),
            ("a\tb\r\n1, 2\t3\r\n", "a | b\n1, 2 | 3"),
            ("note\n\"two\nlines, \"\"quoted\"\"\"\n", "note\ntwo lines, \"quoted\""),
            ("a,b,c\n1,2\n\n1,2,3,4\n", "a | b | c\n1 | 2\n1 | 2 | 3 | 4"),
        ];
        for (text, expected) in cases {
            assert_eq!(outline(text).text, expected, "{text}");
        }
        let long = "x".repeat(5_000);
        assert_eq!(outline(&format!("a,{long}")).text, format!("a | {long}"));
    }
}
