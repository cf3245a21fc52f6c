-- A transaction of which nothing stays.
\set writer :client_id
\set step random(0, 1000000)
BEGIN;
SELECT number(:writer, 50);
SELECT toast(:writer, :step);
SELECT scribble(:writer, 5);
ROLLBACK;
