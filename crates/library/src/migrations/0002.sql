-- The bytes of a file in pieces, so that neither writing nor reading holds a file in memory.
-- A piece has any length; what an earlier format kept whole is one piece.
CREATE TABLE parts (
    file_id TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (file_id, number)
) STRICT;

INSERT INTO parts SELECT file_id, 0, bytes FROM contents;
DROP TABLE contents;

-- Files that were attached in one call, to be followed and cancelled together.
CREATE TABLE batches (
    id            TEXT PRIMARY KEY,
    collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL DEFAULT (unixepoch()),
    cancelled     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX batches_by_collection ON batches (collection_id);

CREATE TABLE batch_files (
    batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    file_id  TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    PRIMARY KEY (batch_id, file_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_files_by_file ON batch_files (file_id);

-- A file is compared with those of its content and of its source whenever it is added or read;
-- without these that would be a look at every file of the collection.
CREATE INDEX files_by_digest ON files (sha256);
CREATE INDEX files_by_source ON files (source) WHERE source IS NOT NULL;
