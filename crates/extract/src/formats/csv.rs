//! Tables of comma-, semicolon- or tab-separated values: each row becomes a line that carries
//! its column names, so that a passage cut from the middle of the table still says what its
//! values are.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{Format, by_name_only};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// Values separated by commas, or whatever the file uses.
pub(super) const CSV: Format = Format {
    name: "csv",
    media_type: "text/csv",
    extensions: &["csv"],
    is_markdown: false,
    recognise: by_name_only,
    read,
};

/// Values separated by tabs, or whatever the file uses.
pub(super) const TSV: Format = Format {
    name: "tsv",
    media_type: "text/tab-separated-values",
    extensions: &["tsv", "tab"],
    is_markdown: false,
    recognise: by_name_only,
    read,
};

/// Delimiters in use, the commonest first.
const DELIMITERS: &[u8] = b",;\t|";

/// Rows looked at to find the delimiter.
const SNIFFED_ROWS: usize = 20;

/// Characters kept of a column name: it is repeated on every row.
const MAX_NAME_CHARS: usize = 100;

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
        .map_err(|error| ExtractError::Malformed {
            format: "CSV",
            reason: error.to_string(),
        })
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

/// The table as read so far.
#[derive(Default)]
struct Table {
    header: Header,
    rows_below: usize,
}

/// What is known of the column names.
#[derive(Default)]
enum Header {
    /// No row of more than one cell has come yet.
    #[default]
    Unseen,
    /// The first such row was data.
    Absent,
    /// The names of the columns; some may be empty.
    Names(Vec<String>),
}

impl Table {
    /// Writes a row, or takes it as the header. Lines of a single cell above the header (a
    /// title, a date) are written as they are; empty rows are left out.
    fn write(&mut self, cells: &[String], draft: &mut Draft) -> Result<(), ExtractError> {
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return Ok(());
        }
        if matches!(self.header, Header::Unseen) && filled > 1 {
            if looks_like_header(cells) {
                self.header = Header::Names(cells.iter().map(|cell| name(cell)).collect());
                return Ok(());
            }
            self.header = Header::Absent;
        }
        self.rows_below += 1;
        match &self.header {
            Header::Names(names) => draft.push(&named_row(names, cells))?,
            Header::Unseen | Header::Absent => draft.push(&plain_row(cells))?,
        }
        draft.push("\n")
    }

    /// A header without any row below it is all the text there is.
    fn finish(self, draft: &mut Draft) -> Result<(), ExtractError> {
        match self.header {
            Header::Names(names) if self.rows_below == 0 => draft.push(&plain_row(&names)),
            _ => Ok(()),
        }
    }
}

/// Whether a first row names columns: nearly all do, so only a leading number, date or the like
/// speaks against it. (Later cells may be years, `region,2023,2024`, and the corner may be empty.)
fn looks_like_header(cells: &[String]) -> bool {
    let corner = cells.first().map_or("", String::as_str);
    corner.is_empty() || corner.chars().any(char::is_alphabetic)
}

fn name(cell: &str) -> String {
    cell.chars().take(MAX_NAME_CHARS).collect()
}

/// `name: value, name: value`, without empty values; a cell beyond the header gets its number.
fn named_row(names: &[String], cells: &[String]) -> String {
    let mut parts = Vec::new();
    for (column, cell) in cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty())
    {
        match names.get(column).filter(|name| !name.is_empty()) {
            Some(name) => parts.push(format!("{name}: {cell}")),
            None => parts.push(format!("column {}: {cell}", column + 1)),
        }
    }
    parts.join(", ")
}

fn plain_row(cells: &[String]) -> String {
    cells.join(" | ")
}
