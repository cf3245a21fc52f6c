-- One transaction with a bit of everything.
\set writer :client_id
\set a random(1, 400)
\set b random(1, 400)
\set amount random(1, 100)
\set step random(0, 1000000)
\set rows random(1, 4)
BEGIN;
SELECT number(:writer, :rows);
SELECT swap(:writer, :step);
SELECT change_alike(:writer, :step);
SELECT toast(:writer, :step);
SELECT move_part(:writer, :step);
SELECT scribble(:writer, 2);
SELECT transfer(:a, :b, :amount);
END;
