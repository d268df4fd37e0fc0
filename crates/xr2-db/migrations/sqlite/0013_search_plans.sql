-- What PostgreSQL is told about plans of searches needs no counterpart: an index of full text is all that SQLite can use.
SELECT 1;
