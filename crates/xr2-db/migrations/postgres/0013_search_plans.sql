-- The planner does not know that what is searched is kept beside the rows and has to be fetched for each that is looked at.
-- Told that this is expensive, it looks rare words up, walks back from the latest for common ones, and never reads all.
ALTER FUNCTION xr2_search(TEXT, BOOLEAN, BIGINT, BIGINT) SET enable_seqscan = off;
ALTER FUNCTION xr2_search(TEXT, BOOLEAN, BIGINT, BIGINT) SET cpu_operator_cost = 0.05;
