-- A small transaction.
\set a random(1, 400)
\set b random(1, 400)
\set amount random(1, 100)
SELECT transfer(:a, :b, :amount);
