-- What the user entrusted to us. `sequence` orders by when a row was added.

CREATE TABLE files (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    filename   TEXT NOT NULL,
    purpose    TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     BLOB NOT NULL,
    source     TEXT,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

-- Bytes live in the database: a file and its record become durable in one transaction, a
-- backup is one file, and there is nothing to sweep after a crash. Files are bounded
-- (100 MB by default), far under SQLite's limit.
CREATE TABLE contents (
    file_id TEXT PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    bytes   BLOB NOT NULL
) STRICT;

-- The extracted text is kept so that an index can be built again without extraction.
CREATE TABLE documents (
    file_id  TEXT PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    title    TEXT NOT NULL,
    format   TEXT NOT NULL,
    markdown INTEGER NOT NULL,
    headings TEXT NOT NULL, -- JSON: [[level, start, title], …]
    pages    TEXT NOT NULL, -- JSON: [[start, end], …]
    text     TEXT NOT NULL
) STRICT;

CREATE TABLE collections (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL UNIQUE,
    created_at     INTEGER NOT NULL DEFAULT (unixepoch()),
    last_active_at INTEGER NOT NULL DEFAULT (unixepoch()),
    -- Grows with every change to what the collection's index should hold.
    generation     INTEGER NOT NULL DEFAULT 0,
    -- `removals` is complete from this generation on.
    removals_since INTEGER NOT NULL DEFAULT 0,
    -- The passage settings its index was built with; '' asks for building it again.
    passages       TEXT NOT NULL
) STRICT;

CREATE TABLE memberships (
    sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    file_id       TEXT NOT NULL REFERENCES files (id),
    status        TEXT NOT NULL DEFAULT 'in_progress'
                  CHECK (status IN ('in_progress', 'completed', 'failed', 'cancelled')),
    error_code    TEXT,
    error_message TEXT,
    attributes    TEXT NOT NULL,
    created_at    INTEGER NOT NULL DEFAULT (unixepoch()),
    -- The collection's generation that made it searchable; 0 until completed.
    generation    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (collection_id, file_id)
) STRICT;

CREATE INDEX memberships_by_file ON memberships (file_id);
CREATE INDEX memberships_by_status ON memberships (collection_id, status, generation);
CREATE INDEX memberships_to_do ON memberships (sequence) WHERE status = 'in_progress';

-- What an index that is behind has to let go of.
CREATE TABLE removals (
    collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    file_id       TEXT NOT NULL,
    generation    INTEGER NOT NULL,
    PRIMARY KEY (collection_id, file_id)
) STRICT, WITHOUT ROWID;
