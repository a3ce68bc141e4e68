//! Tables of a Markdown text: a passage from the middle of one is told the names of its columns.

use std::ops::Range;

use super::outline::shorten;

/// The tables of one text, in order.
pub(super) struct Tables<'a>(Vec<Table<'a>>);

struct Table<'a> {
    /// The line with the names of the columns.
    header: &'a str,
    /// The rows below it, in bytes of the text.
    rows: Range<usize>,
}

impl<'a> Tables<'a> {
    /// Finds them by the line of dashes below their header.
    pub(super) fn new(text: &'a str) -> Self {
        let mut tables: Vec<Table<'a>> = Vec::new();
        let mut above = "";
        let mut in_table = false;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            if in_table && line.contains('|') {
                if let Some(table) = tables.last_mut() {
                    table.rows.end = end;
                }
            } else {
                in_table = is_rule(line) && above.contains('|');
                if in_table {
                    tables.push(Table {
                        header: above,
                        rows: end..end,
                    });
                }
            }
            above = line;
            start = end;
        }
        Tables(tables)
    }

    /// The names of the columns, when `offset` lies in the rows of a table.
    pub(super) fn columns_at(&self, offset: usize) -> Option<String> {
        let at = self.0.partition_point(|table| table.rows.end <= offset);
        let table = self.0.get(at).filter(|table| table.rows.start <= offset)?;
        let cells = table.header.trim().trim_matches('|').split('|');
        let cells: Vec<&str> = cells.map(str::trim).collect();
        Some(shorten(&cells.join(" | ")).to_owned())
    }
}

/// The line between header and rows: `| --- | :-: |`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains("--")
        && line.contains('|')
        && line
            .bytes()
            .all(|byte| matches!(byte, b'|' | b'-' | b':' | b' '))
}
