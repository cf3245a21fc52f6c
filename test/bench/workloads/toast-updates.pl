# Documents of some 8 kB, which the server keeps beside the row; then updates of
# a number beside them, which leave the documents alone.
#
# A document is a list of objects with the same keys, as documents are: it
# compresses, but not to nothing, and what does not fit in a row is stored out
# of line.
my $documents = $ENV{SMALL} ? 1_000 : 10_000;
my $updates = $documents * 10;

return {
	title => "changes: $documents inserts of documents, updates beside them",
	rows => $documents + $updates,
	setup => 'CREATE TABLE documents (id int PRIMARY KEY, n int, body text);',
	load => <<"END",
SET synchronous_commit = off;
DO '
DECLARE
	chosen int;
BEGIN
	PERFORM setseed(0.5);
	FOR t IN 0 .. $documents / 100 - 1 LOOP
		INSERT INTO documents
		SELECT i, 0,
			   (SELECT json_agg(json_build_object(
						''id'', k, ''reference'', md5(random()::text),
						''name'', ''item '' || k, ''price'', random() * 100,
						''available'', true))
				  FROM generate_series(1 + i * 0, 60) k)
		  FROM generate_series(t * 100 + 1, t * 100 + 100) i;
		COMMIT;
	END LOOP;
	FOR t IN 1 .. $updates / 100 LOOP
		FOR i IN 1 .. 100 LOOP
			chosen := 1 + floor(random() * $documents);
			UPDATE documents SET n = n + 1 WHERE id = chosen;
		END LOOP;
		COMMIT;
	END LOOP;
END;';
END
};
