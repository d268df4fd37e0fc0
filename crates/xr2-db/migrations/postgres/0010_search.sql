-- Lists in any order without reading the prompts that are passed over.
CREATE INDEX prompts_listed_by_update ON prompts (workspace_id, archived, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_creation ON prompts (workspace_id, archived, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_title ON prompts (workspace_id, archived, LOWER(title), id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_slug ON prompts (workspace_id, archived, slug, id) WHERE deleted_at IS NULL;
CREATE INDEX prompts_listed_by_category ON prompts (workspace_id, category, updated_at, id) WHERE deleted_at IS NULL;

-- The index of search. doc: the higher, the later the words of the prompt have changed. hidden: in the archive or the bin.
-- entries: what it is found by, kept beside the rows, so that these are many to a page.
CREATE TABLE prompt_search (
    doc BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    prompt_id UUID NOT NULL UNIQUE REFERENCES prompts (id) ON DELETE CASCADE,
    hidden BOOLEAN NOT NULL,
    entries TSVECTOR NOT NULL
) WITH (toast_tuple_target = 128);
ALTER TABLE prompt_search ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE INDEX prompt_search_latest ON prompt_search (workspace_id, doc);
CREATE INDEX prompt_search_by_prompt ON prompt_search (workspace_id, prompt_id);
CREATE INDEX prompt_search_entries ON prompt_search USING gin (entries);

-- Words of a workspace that somebody may mean who mistypes one.
CREATE TABLE search_words (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    word TEXT NOT NULL
);
CREATE INDEX search_words_by_word ON search_words (workspace_id, word);
CREATE INDEX search_words_by_id ON search_words (workspace_id, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON prompt_search, search_words TO xr2_app;

-- What is not indexed yet is looked for in all workspaces, through the system door. The policies bind everybody but the
-- owner of prompt_search, as whom the function below runs.
ALTER TABLE prompt_search ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON prompt_search
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
ALTER TABLE search_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_words FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON search_words
    USING (workspace_id = (SELECT xr2_workspace()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()));

-- Prompts of the transaction's workspace that answer a search, the latest first. Beneath row-level security an index is
-- used only for what cannot tell anything of rows that are filtered out, and text search is not among that; so this reads
-- the table as its owner, and filters by the workspace itself. The statement is planned with what is asked, because rare
-- words are best looked up and common ones found by walking back from the latest.
CREATE FUNCTION xr2_search(asked TEXT, shown_only BOOLEAN, before BIGINT, most BIGINT)
    RETURNS TABLE (doc BIGINT, prompt_id UUID) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS
$$
BEGIN
    IF xr2_workspace() IS NULL OR NOT pg_has_role(session_user, 'xr2_app', 'MEMBER') THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT s.doc, s.prompt_id FROM prompt_search s WHERE s.workspace_id = %L AND s.entries @@ %L::tsquery
             AND s.doc < %s %s ORDER BY s.doc DESC LIMIT %s',
        xr2_workspace(), asked, before, CASE WHEN shown_only THEN 'AND NOT s.hidden' ELSE '' END, most);
END
$$;
