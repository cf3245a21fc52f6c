-- Parts that are taken back.
\set writer :client_id
\set a random(1, 400)
\set b random(1, 400)
\set step random(0, 1000000)
BEGIN;
SELECT number(:writer, 2);
SAVEPOINT one;
SELECT number(:writer, 10);
SELECT toast(:writer, :step);
SELECT swap(:writer, :step);
SAVEPOINT within;
SELECT number(:writer, 3);
RELEASE within;
ROLLBACK TO one;
SELECT number(:writer, 3);
SAVEPOINT two;
SELECT swap(:writer, :step);
RELEASE two;
SAVEPOINT three;
SELECT change_alike(:writer, :step);
ROLLBACK TO three;
SELECT change_alike(:writer, :step);
SELECT transfer(:a, :b, 7);
END;
