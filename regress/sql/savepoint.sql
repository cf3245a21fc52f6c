-- Subtransactions come as part of their transaction, if they were not rolled
-- back.
\pset format unaligned
\pset tuples_only on

CREATE TABLE savepoints (id int PRIMARY KEY);
CREATE PUBLICATION savepoints_pub FOR TABLE savepoints;
SELECT open_slot();

BEGIN;
INSERT INTO savepoints VALUES (1);
SAVEPOINT a;
INSERT INTO savepoints VALUES (2);
SAVEPOINT b;
INSERT INTO savepoints VALUES (3);
ROLLBACK TO b;
INSERT INTO savepoints VALUES (4);
RELEASE a;
INSERT INTO savepoints VALUES (5);
SAVEPOINT c;
INSERT INTO savepoints VALUES (6);
ROLLBACK TO c;
COMMIT;
-- All of it gone: nothing is sent.
BEGIN;
SAVEPOINT a;
INSERT INTO savepoints VALUES (7);
ROLLBACK TO a;
COMMIT;
-- Large enough to be spilled to disk.
SET logical_decoding_work_mem = '64kB';
BEGIN;
INSERT INTO savepoints SELECT generate_series(1000, 1999);
SAVEPOINT a;
INSERT INTO savepoints SELECT generate_series(2000, 2999);
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO savepoints SELECT generate_series(3000, 3999);
COMMIT;
SELECT line FROM get_frames('savepoints_pub') AS frame, penstock_frame_text(frame) AS line
WHERE line NOT LIKE '  insert savepoints: id=____' OR line LIKE '%id=_999';
RESET logical_decoding_work_mem;

SELECT close_slot();
DROP TABLE savepoints;
DROP PUBLICATION savepoints_pub;
