//! Reads workbooks: a heading for each sheet, and a line for each row.

use std::fmt::Display;
use std::io::Cursor;

use calamine::{CellErrorType, Data, DataRef, ExcelDateTime, Ods, Reader, Sheets, Xls, Xlsb, Xlsx};

use super::archive::Archive;
use super::core_properties;
use crate::document::LossKind;
use crate::parse::error::ParseError;
use crate::parse::outline::Outline;

/// The number of empty cells before a cell that are counted.
const MOST_EMPTY: usize = 64;

/// Reads a workbook.
pub(super) fn outline(bytes: &[u8]) -> Result<Outline, ParseError> {
    let mut outline = Outline::default();
    let mut workbook = open(bytes, &mut outline)?;
    for name in workbook.sheet_names() {
        let mut sheet = Sheet::default();
        let outcome = match &mut workbook {
            Sheets::Xlsx(xlsx) => {
                xlsx.worksheet_cells_reader(&name).map_err(calamine::Error::from).and_then(|mut cells| {
                    while let Some(cell) = cells.next_cell()? {
                        let (row, column) = cell.get_position();
                        sheet.add_ref(row, column, cell.get_value());
                    }
                    Ok(())
                })
            }
            // In these formats, the library builds the whole rectangle of cells.
            other => other.worksheet_range(&name).map(|range| {
                let (first_row, first_column) = range.start().unwrap_or_default();
                for (row, column, value) in range.used_cells() {
                    let at =
                        |first: u32, offset: usize| first.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
                    sheet.add(at(first_row, row), at(first_column, column), value);
                }
            }),
        };
        if let Err(error) = outcome {
            outline.lose(LossKind::Cells, format!("the sheet {name} could not be read: {error}"));
        }
        sheet.finish(&name, &mut outline);
    }
    Ok(outline)
}

/// Opens a workbook, whichever of the formats it has.
fn open<'a>(bytes: &'a [u8], outline: &mut Outline) -> Result<Sheets<Cursor<&'a [u8]>>, ParseError> {
    let file = Cursor::new(bytes);
    // A workbook of Excel before 2007 is no archive.
    if !bytes.starts_with(b"PK") {
        return Xls::new(file).map(Sheets::Xls).map_err(|error| ParseError::Broken(error.into()));
    }
    let mut archive = Archive::open(bytes)?;
    core_properties(&mut archive, outline);
    let (is_xlsx, is_xlsb) = (archive.has("xl/workbook.xml"), archive.has("xl/workbook.bin"));
    // The library unpacks the parts itself.
    Archive::open(bytes)?.check()?;
    if is_xlsx {
        Xlsx::new(file).map(Sheets::Xlsx).map_err(|error| ParseError::Broken(error.into()))
    } else if is_xlsb {
        Xlsb::new(file).map(Sheets::Xlsb).map_err(|error| ParseError::Broken(error.into()))
    } else {
        Ods::new(file).map(Sheets::Ods).map_err(|error| ParseError::Broken(error.into()))
    }
}

/// A sheet while it is being read, cell by cell.
#[derive(Default)]
struct Sheet {
    rows: Vec<Vec<String>>,
    /// The number of the last row.
    row: Option<u32>,
    faults: Vec<(CellErrorType, String)>,
}

impl Sheet {
    fn add_ref(&mut self, row: u32, column: u32, value: &DataRef<'_>) {
        match value {
            DataRef::Int(number) => self.put(row, column, number),
            DataRef::Float(number) => self.put(row, column, number),
            DataRef::SharedString(text) => self.put(row, column, text),
            DataRef::Bool(value) => self.put(row, column, value),
            DataRef::DateTime(time) => self.put(row, column, &date(time)),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                self.put(row, column, text);
            }
            DataRef::Error(fault) => self.fault(row, column, fault),
            DataRef::Empty => {}
        }
    }

    fn add(&mut self, row: u32, column: u32, value: &Data) {
        match value {
            Data::DateTime(time) => self.put(row, column, &date(time)),
            Data::Error(fault) => self.fault(row, column, fault),
            Data::Empty => {}
            other => self.put(row, column, other),
        }
    }

    /// Sets a cell. Empty cells before it keep their places.
    fn put(&mut self, row: u32, column: u32, value: &impl Display) {
        if self.row != Some(row) || self.rows.is_empty() {
            self.rows.push(Vec::new());
            self.row = Some(row);
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if let Some(cells) = self.rows.last_mut() {
            let empty = column.saturating_sub(cells.len()).min(MOST_EMPTY);
            cells.extend(std::iter::repeat_n(String::new(), empty));
            cells.push(value.to_string());
        }
    }

    fn fault(&mut self, row: u32, column: u32, fault: &CellErrorType) {
        self.put(row, column, fault);
        self.faults.push((fault.clone(), cell_name(row, column)));
    }

    fn finish(self, name: &str, outline: &mut Outline) {
        if let Some((fault, cell)) = self.faults.first() {
            let count = self.faults.len();
            let cells = if count == 1 { "cell of the sheet" } else { "cells of the sheet" };
            outline.lose(LossKind::Cells, format!("{count} {cells} {name} have no value, the first {cell}: {fault}"));
        }
        if !self.rows.is_empty() {
            outline.heading(1, name);
            outline.table(&self.rows);
        }
    }
}

/// Returns the date and the time of a cell, without those of them that are zero.
fn date(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round();
        return format!("{:.0}:{minute:02}:{second:02}", (seconds / 3_600.0).trunc());
    }
    match (time.as_f64() < 1.0, (hour, minute, second) == (0, 0, 0)) {
        (true, _) => clock,
        (false, true) => format!("{year:04}-{month:02}-{day:02}"),
        (false, false) => format!("{year:04}-{month:02}-{day:02} {clock}"),
    }
}

/// Returns the name of a cell as spreadsheets show it, such as `B7`.
fn cell_name(row: u32, column: u32) -> String {
    let mut letters = String::new();
    let mut rest = column + 1;
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    format!("{letters}{}", row + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_in_a_spreadsheet() {
        assert_eq!(
            [cell_name(0, 0), cell_name(6, 25), cell_name(9, 26), cell_name(0, 701)],
            ["A1", "Z7", "AA10", "ZZ1"]
        );
    }
}
