-- Lists in any order without reading the prompts that are passed over.
CREATE INDEX prompts_listed_by_update ON prompts (workspace_id, archived, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_creation ON prompts (workspace_id, archived, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_title ON prompts (workspace_id, archived, LOWER(title), id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_slug ON prompts (workspace_id, archived, slug, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_category ON prompts (workspace_id, category, updated_at, id) WHERE deleted_at IS NULL;

-- The index of search. doc: the higher, the later the words of the prompt have changed. hidden: in the archive or the bin.
CREATE TABLE prompt_search (
    doc INTEGER PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id BLOB NOT NULL UNIQUE REFERENCES prompts (id) ON DELETE CASCADE,
    hidden INTEGER NOT NULL
) STRICT;
CREATE INDEX prompt_search_latest ON prompt_search (workspace_id, doc);
CREATE INDEX prompt_search_by_prompt ON prompt_search (workspace_id, prompt_id);

-- What each is found by, under the number of its row. An entry begins with six characters that are not the word's: the
-- prefixes are those of one, two and three letters, which very many words have.
CREATE VIRTUAL TABLE prompt_entries USING fts5 (
    entries, content = '', contentless_delete = 1, detail = none, prefix = '7 8 9', tokenize = 'ascii'
);
CREATE TRIGGER prompt_search_forget AFTER DELETE ON prompt_search BEGIN
    DELETE FROM prompt_entries WHERE rowid = old.doc;
END;

-- Words of a workspace that somebody may mean who mistypes one.
CREATE TABLE search_words (
    id INTEGER PRIMARY KEY,
    workspace_id BLOB NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    word TEXT NOT NULL
) STRICT;
CREATE INDEX search_words_by_word ON search_words (workspace_id, word);
CREATE INDEX search_words_by_id ON search_words (workspace_id, id);
