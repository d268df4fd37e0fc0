-- Statements name the workspace and the prompt, and pages of prompts are read in order of their ids.
CREATE INDEX prompts_by_id ON prompts (workspace_id, id);
CREATE INDEX prompt_slugs_by_prompt ON prompt_slugs (workspace_id, prompt_id);
CREATE INDEX prompt_labels_by_prompt ON prompt_labels (workspace_id, prompt_id);
CREATE INDEX prompt_tags_by_prompt ON prompt_tags (workspace_id, prompt_id);
