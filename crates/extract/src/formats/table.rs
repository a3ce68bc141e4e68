//! A table row by row: each row becomes a line that carries its column names, so that a passage
//! cut from the middle of the table still says what its values are.

use crate::ExtractError;
use crate::draft::Draft;

/// Characters kept of a column name: it is repeated on every row.
const MAX_NAME_CHARS: usize = 100;

/// The table as read so far.
#[derive(Default)]
pub(super) struct Table {
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
    pub(super) fn write(
        &mut self,
        cells: &[String],
        draft: &mut Draft,
    ) -> Result<(), ExtractError> {
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
    pub(super) fn finish(self, draft: &mut Draft) -> Result<(), ExtractError> {
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
