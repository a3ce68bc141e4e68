//! The tables of answers.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::count;
use super::listing::{self, Select};
use crate::answers::{KeptAnswer, NewAnswer, Retention};
use crate::{LibraryError, Listing, Page};

/// `stale` holds the sources that no collection serves any more.
const SELECT: &str = "SELECT a.id, a.created_at, a.receipt, a.content,
    (SELECT json_group_array(s.file_id) FROM answer_sources s WHERE s.answer_id = a.id
     AND NOT EXISTS (SELECT 1 FROM memberships m
                     WHERE m.file_id = s.file_id AND m.status = 'completed'))
    FROM answers a";

const IS_STALE: &str = "EXISTS (SELECT 1 FROM answer_sources s WHERE s.answer_id = a.id
    AND NOT EXISTS (SELECT 1 FROM memberships m
                    WHERE m.file_id = s.file_id AND m.status = 'completed'))";

pub(crate) fn insert(connection: &Connection, answer: &NewAnswer) -> Result<(), LibraryError> {
    // Where a source is gone already, what was said of it is not kept in the first place.
    connection.execute(
        "INSERT INTO answers (id, receipt, content) VALUES (?, ?, ?)",
        params![answer.id, answer.receipt, answer.content],
    )?;
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO answer_sources VALUES (?, ?)")?;
    for file_id in &answer.sources {
        insert.execute([&answer.id, file_id])?;
    }
    connection.execute(
        "UPDATE answers SET content = NULL WHERE id = ?1 AND EXISTS
         (SELECT 1 FROM answer_sources s WHERE s.answer_id = ?1
          AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = s.file_id))",
        [&answer.id],
    )?;
    Ok(())
}

/// Deletes what is older, or more, than may be kept. Returns how many answers went.
pub(crate) fn expire(connection: &Connection, keep: Retention) -> Result<usize, LibraryError> {
    let seconds = i64::from(keep.days) * 24 * 60 * 60;
    let aged = connection.execute(
        "DELETE FROM answers WHERE created_at <= unixepoch() - ?",
        [seconds],
    )?;
    let surplus = connection.execute(
        "DELETE FROM answers WHERE sequence <=
         (SELECT sequence FROM answers ORDER BY sequence DESC LIMIT 1 OFFSET ?)",
        [keep.most],
    )?;
    Ok(aged + surplus)
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<KeptAnswer>, LibraryError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE a.id = ?"))?;
    Ok(statement.query_row([id], read_answer).optional()?)
}

pub(crate) fn list(
    connection: &Connection,
    stale_only: bool,
    page: &Page,
) -> Result<Listing<KeptAnswer>, LibraryError> {
    let after = listing::position(page, |id| {
        let sql = "SELECT sequence FROM answers WHERE id = ?";
        connection.query_row(sql, [id], |row| row.get(0)).optional()
    })?;
    let condition = if stale_only { IS_STALE } else { "TRUE" };
    let select = Select {
        query: &format!("{SELECT} WHERE {condition}"),
        sequence: "a.sequence",
        parameters: &[],
    };
    listing::list(connection, &select, page, after, read_answer)
}

pub(crate) fn delete(connection: &Connection, id: &str) -> Result<bool, LibraryError> {
    Ok(connection.execute("DELETE FROM answers WHERE id = ?", [id])? > 0)
}

/// How many answers still tell what they took from the file.
pub(crate) fn resting_on(connection: &Connection, file_id: &str) -> Result<u64, LibraryError> {
    let sql = "SELECT count(*) FROM answer_sources s JOIN answers a ON a.id = s.answer_id
        WHERE s.file_id = ? AND a.content IS NOT NULL";
    Ok(connection.query_row(sql, [file_id], |row| count(row, 0))?)
}

fn read_answer(row: &Row) -> rusqlite::Result<KeptAnswer> {
    let stale: String = row.get(4)?;
    Ok(KeptAnswer {
        id: row.get(0)?,
        created_at: row.get(1)?,
        receipt: row.get(2)?,
        content: row.get(3)?,
        stale: serde_json::from_str(&stale).unwrap_or_default(),
    })
}
