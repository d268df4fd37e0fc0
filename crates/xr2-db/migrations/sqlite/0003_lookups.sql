-- Statements name the workspace and the prompt. Without statistics SQLite takes an index that begins with the workspace
-- for as good as one that begins with the prompt, and then reads the whole workspace to find one prompt. With both
-- columns in one index there is nothing to choose.
CREATE INDEX prompts_by_id ON prompts (workspace_id, id);
CREATE INDEX prompt_slugs_by_prompt ON prompt_slugs (workspace_id, prompt_id);
CREATE INDEX prompt_labels_by_prompt ON prompt_labels (workspace_id, prompt_id);
CREATE INDEX prompt_tags_by_prompt ON prompt_tags (workspace_id, prompt_id);
