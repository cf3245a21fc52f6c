-- Writers 10 and up: they have the large transactions.
\set writer random(10, 12)
\set step random(0, 1000000)
SELECT big_change(:writer, :step, :rows);
