-- Only PostgreSQL chooses between ways to search, see there.
SELECT 1;
