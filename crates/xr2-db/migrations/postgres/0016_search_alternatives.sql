-- Of several words that may have been meant most are rare, which the planner only knows with more statistics; walking back
-- from the latest for them would read everything. So alternatives are always looked up.
CREATE OR REPLACE FUNCTION xr2_search(asked TEXT, shown_only BOOLEAN, before BIGINT, most BIGINT)
    RETURNS TABLE (doc BIGINT, prompt_id UUID) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    SET enable_seqscan = off SET cpu_operator_cost = 0.05 AS
$$
BEGIN
    IF xr2_workspace() IS NULL OR NOT pg_has_role(session_user, 'xr2_app', 'MEMBER') THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT s.doc, s.prompt_id FROM prompt_search s WHERE s.workspace_id = %L AND s.entries @@ %L::tsquery
             AND s.doc < %s %s ORDER BY s.doc %s DESC LIMIT %s',
        xr2_workspace(), asked, before, CASE WHEN shown_only THEN 'AND NOT s.hidden' ELSE '' END,
        CASE WHEN strpos(asked, '|') > 0 THEN '+ 0' ELSE '' END, most);
END
$$;
ALTER TABLE prompt_search ALTER entries SET STATISTICS 1000;
-- What waits to be entered would be read by every search.
ALTER INDEX prompt_search_entries SET (fastupdate = off);
