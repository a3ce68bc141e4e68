-- What users note about a collection; JSON, texts by name.
ALTER TABLE collections ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
