//! Tables of comma-, semicolon- or tab-separated values.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::table::Table;
use super::{Format, by_name_only};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// Values separated by commas, or whatever the file uses.
pub(super) const CSV: Format = Format {
    name: "csv",
    media_type: "text/csv",
    extensions: &["csv"],
    is_text: true,
    is_markdown: false,
    recognise: by_name_only,
    read,
};

/// Values separated by tabs, or whatever the file uses.
pub(super) const TSV: Format = Format {
    name: "tsv",
    media_type: "text/tab-separated-values",
    extensions: &["tsv", "tab"],
    is_text: true,
    is_markdown: false,
    recognise: by_name_only,
    read,
};

/// Delimiters in use, the commonest first.
const DELIMITERS: &[u8] = b",;\t|";

/// Rows looked at to find the delimiter.
const SNIFFED_ROWS: usize = 20;

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let (declared, text) = declared_delimiter(source.text()?);
    let delimiter = declared.unwrap_or_else(|| sniff_delimiter(text));
    let mut table = Table::default();
    let mut rows = rows(text, delimiter, true);
    let mut record = ByteRecord::new();
    let mut start = 0;
    while next_row(&mut rows, &mut record)? {
        let end = offset(&rows, text);
        if end == text.len() && is_unterminated(&text[start..]) {
            return read_unquoted(&text[start..], delimiter, table, draft);
        }
        table.write(&cells(&record), draft)?;
        start = end;
    }
    table.finish(draft)
}

/// Reads the rest of a table in which a quotation mark is never closed: quoting is off, so that
/// the mark does not swallow all the rows that follow it.
fn read_unquoted(
    text: &str,
    delimiter: u8,
    mut table: Table,
    draft: &mut Draft,
) -> Result<(), ExtractError> {
    let mut rows = rows(text, delimiter, false);
    let mut record = ByteRecord::new();
    while next_row(&mut rows, &mut record)? {
        let mut cells = cells(&record);
        for cell in &mut cells {
            *cell = cell.trim_matches('"').to_owned();
        }
        table.write(&cells, draft)?;
    }
    table.finish(draft)
}

/// The delimiter that Excel writes in a first line `sep=;`, and the text after that line.
fn declared_delimiter(text: &str) -> (Option<u8>, &str) {
    let declared = text
        .strip_prefix("sep=")
        .and_then(|rest| rest.split_once('\n'));
    match declared {
        Some((delimiter, rest)) if delimiter.len() == 1 => (Some(delimiter.as_bytes()[0]), rest),
        _ => (None, text),
    }
}

/// The delimiter that cuts the most of the first rows into the same number of cells.
fn sniff_delimiter(text: &str) -> u8 {
    let mut best = (0, 0, DELIMITERS[0]);
    for &delimiter in DELIMITERS {
        let widths = first_widths(text, delimiter);
        for &width in widths.iter().filter(|width| **width > 1) {
            let rows = widths.iter().filter(|other| **other == width).count();
            if (rows, width) > (best.0, best.1) {
                best = (rows, width, delimiter);
            }
        }
    }
    best.2
}

/// How many cells each of the first rows has. A row that cannot be read ends the list.
fn first_widths(text: &str, delimiter: u8) -> Vec<usize> {
    let mut rows = rows(text, delimiter, true);
    let mut record = ByteRecord::new();
    let mut widths = Vec::new();
    while widths.len() < SNIFFED_ROWS && matches!(next_row(&mut rows, &mut record), Ok(true)) {
        widths.push(record.len());
    }
    widths
}

fn rows(text: &str, delimiter: u8, quoting: bool) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(quoting)
        .from_reader(text.as_bytes())
}

fn next_row(rows: &mut Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, ExtractError> {
    rows.read_byte_record(record)
        .map_err(|error| ExtractError::malformed("CSV", error))
}

/// Where the row after the one just read starts.
fn offset(rows: &Reader<&[u8]>, text: &str) -> usize {
    usize::try_from(rows.position().byte()).map_or(text.len(), |byte| byte.min(text.len()))
}

/// Whether a quotation mark is left open at the end of the last row.
fn is_unterminated(row: &str) -> bool {
    row.bytes().filter(|byte| *byte == b'"').count() % 2 == 1
}

/// The cells of a row, each on one line with single spaces.
fn cells(record: &ByteRecord) -> Vec<String> {
    let clean = |cell: &[u8]| {
        let cell = String::from_utf8_lossy(cell);
        cell.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    record.iter().map(clean).collect()
}
