-- Answers that were given, for as long as the configuration says.
CREATE TABLE answers (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL DEFAULT (unixepoch()),
    -- JSON: how the answer came about. Nothing of what was said or read, but for hashes.
    receipt    TEXT NOT NULL,
    -- JSON: what was asked and answered. NULL once a file it rests on was deleted.
    content    TEXT
) STRICT;

CREATE INDEX answers_by_age ON answers (created_at);

CREATE TABLE answer_sources (
    answer_id TEXT NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
    file_id   TEXT NOT NULL,
    PRIMARY KEY (answer_id, file_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX answer_sources_by_file ON answer_sources (file_id);

-- An answer may repeat what a file says: that goes with the file, whichever way it goes.
CREATE TRIGGER answers_forget_files AFTER DELETE ON files BEGIN
    UPDATE answers SET content = NULL
    WHERE id IN (SELECT answer_id FROM answer_sources WHERE file_id = OLD.id);
END;
