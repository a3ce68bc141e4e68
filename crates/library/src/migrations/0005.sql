-- The language of a text, as ISO 639's two letters; '' where it cannot be told, NULL until it was
-- looked at.
ALTER TABLE documents ADD COLUMN language TEXT;

CREATE INDEX documents_without_language ON documents (file_id) WHERE language IS NULL;
