# A year of a web application's migrations: what frameworks such as Rails and
# Django write, and what teams do by hand to keep an application running.
#
#     for my $migration (Penstock::Migrations::all()) {
#         my ($name, @transactions) = @$migration;
#     }
#
# Each transaction is SQL text.  CREATE INDEX CONCURRENTLY and the like stand
# alone in theirs.
package Penstock::Migrations;

use strict;
use warnings;

# What the application has before.  It is written to all the time: see writers().
my $SCHEMA = <<'END';
CREATE SCHEMA app;
CREATE TYPE app.status AS ENUM ('new', 'paid', 'sent');
CREATE TABLE app.users (id bigserial PRIMARY KEY, email varchar(255) NOT NULL,
	name text, created_at timestamp(6) NOT NULL DEFAULT now());
CREATE UNIQUE INDEX users_email ON app.users (email);
CREATE TABLE app.products (id serial PRIMARY KEY, sku text NOT NULL UNIQUE,
	price numeric(10, 2) NOT NULL DEFAULT 0, data jsonb NOT NULL DEFAULT '{}');
CREATE TABLE app.orders (id bigserial PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES app.users (id),
	status app.status NOT NULL DEFAULT 'new', note text,
	created_at timestamp(6) NOT NULL DEFAULT now());
CREATE INDEX orders_user ON app.orders (user_id);
CREATE TABLE app.items (id serial PRIMARY KEY,
	order_id bigint NOT NULL REFERENCES app.orders (id) ON DELETE CASCADE,
	product_id integer NOT NULL REFERENCES app.products (id),
	quantity integer NOT NULL DEFAULT 1);
CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL,
	kind text NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT;
INSERT INTO app.users (email) SELECT 'user' || n || '@example.com' FROM generate_series(1, 2000) n;
INSERT INTO app.products (sku, price) SELECT 'sku' || n, n FROM generate_series(1, 200) n;
INSERT INTO app.orders (user_id) SELECT 1 + n % 2000 FROM generate_series(1, 5000) n;
INSERT INTO app.items (order_id, product_id) SELECT n, 1 + n % 200 FROM generate_series(1, 5000) n;
END

# Of pgbench: what no migration takes away.
my $WRITERS = <<'END';
\set user random(1, 2000)
\set order random(1, 5000)
\set product random(1, 200)
\set day random(0, 364)
INSERT INTO app.orders (user_id) VALUES (:user);
INSERT INTO app.items (order_id, product_id, quantity) VALUES (:order, :product, 2);
UPDATE app.users SET name = 'name ' || :order WHERE id = :user;
UPDATE app.products SET price = price + 1 WHERE id = :product;
UPDATE app.orders SET status = 'paid' WHERE id = :order;
INSERT INTO app.events (at, kind) VALUES (date '2026-01-01' + :day, 'click');
DELETE FROM app.items WHERE id = :order;
END

sub schema { return $SCHEMA; }
sub writers { return $WRITERS; }

# In batches, as they are written so that nobody waits for long.
sub backfill
{
	my ($table, $set, $where, $max) = @_;

	return map {
		my $to = $_ + 999;
		"UPDATE app.$table SET $set WHERE $where AND id BETWEEN $_ AND $to"
	} map { $_ * 1000 + 1 } 0 .. int($max / 1000);
}

# The migrations of a month, 1 to 12.
sub month
{
	my ($m) = @_;
	my $mm = sprintf '%02d', $m;
	my $next = $m == 12 ? '2027-01-01' : sprintf '2026-%02d-01', $m + 1;
	my $before = $m - 1;

	return (
		[ "a column with a default $m", "ALTER TABLE app.users ADD flag_$m boolean NOT NULL DEFAULT false" ],
		[ "a column that is filled in and made mandatory $m",
			"ALTER TABLE app.orders ADD code_$m text",
			backfill('orders', "code_$m = 'c' || id", "code_$m IS NULL", 7000),
			"ALTER TABLE app.orders ALTER code_$m SET DEFAULT 'none'",
			"UPDATE app.orders SET code_$m = 'late' WHERE code_$m IS NULL",
			"ALTER TABLE app.orders ADD CONSTRAINT code_${m}_set CHECK (code_$m IS NOT NULL) NOT VALID",
			"ALTER TABLE app.orders VALIDATE CONSTRAINT code_${m}_set",
			"BEGIN; ALTER TABLE app.orders ALTER code_$m SET NOT NULL; "
			  . "ALTER TABLE app.orders DROP CONSTRAINT code_${m}_set; COMMIT" ],
		[ "an index without a pause $m",
			"CREATE INDEX CONCURRENTLY orders_code_$m ON app.orders (code_$m, created_at DESC)" ],
		[ "a table with references $m",
			"BEGIN; CREATE TABLE app.feature_$m (id bigserial PRIMARY KEY, user_id bigint NOT NULL, "
			  . "body text, tags text[] NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now()); "
			  . "CREATE INDEX ON app.feature_$m (user_id); "
			  . "ALTER TABLE app.feature_$m ADD CONSTRAINT feature_${m}_user FOREIGN KEY (user_id) REFERENCES app.users; "
			  . "INSERT INTO app.feature_$m (user_id, body) SELECT id, 'hello' FROM app.users WHERE id <= 300; COMMIT" ],
		[ "a partition for the month $m",
			"BEGIN; CREATE TABLE app.events_2026_$mm (LIKE app.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS); "
			  . "LOCK TABLE app.events_rest; "
			  . "WITH moved AS (DELETE FROM app.events_rest WHERE at >= '2026-$mm-01' AND at < '$next' RETURNING *) "
			  . "INSERT INTO app.events_2026_$mm SELECT * FROM moved; "
			  . "ALTER TABLE app.events ATTACH PARTITION app.events_2026_$mm FOR VALUES FROM ('2026-$mm-01') TO ('$next'); COMMIT" ],
		[ "a label more $m", "ALTER TYPE app.status ADD VALUE 'step_$m' AFTER 'paid'",
			"UPDATE app.orders SET status = 'step_$m' WHERE id % 97 = $m" ],
		[ "a foreign key without a pause $m",
			"ALTER TABLE app.products ADD owner_$m bigint",
			"ALTER TABLE app.products ADD CONSTRAINT owner_${m}_fk FOREIGN KEY (owner_$m) REFERENCES app.users (id) NOT VALID",
			"UPDATE app.products SET owner_$m = 1 + id",
			"ALTER TABLE app.products VALIDATE CONSTRAINT owner_${m}_fk" ],
		[ "a unique constraint without a pause $m",
			"ALTER TABLE app.feature_$m ADD slug text",
			"UPDATE app.feature_$m SET slug = 's' || id",
			"CREATE UNIQUE INDEX CONCURRENTLY feature_${m}_slug ON app.feature_$m (slug)",
			"ALTER TABLE app.feature_$m ADD CONSTRAINT feature_${m}_slug_key UNIQUE USING INDEX feature_${m}_slug" ],
		[ "a column renamed $m", "ALTER TABLE app.feature_$m RENAME body TO content",
			"UPDATE app.feature_$m SET content = content || '!' WHERE id % 2 = 0" ],
		[ "a type that is written anew $m",
			"ALTER TABLE app.feature_$m ADD amount integer NOT NULL DEFAULT $m",
			"ALTER TABLE app.feature_$m ALTER amount TYPE numeric(12, 2) USING amount * 100 + 0.5" ],
		[ "a longer name $m", $m % 2
			? "ALTER TABLE app.users ALTER email TYPE varchar(@{[ 255 + $m ]})"
			: "ALTER TABLE app.users ALTER email TYPE text" ],
		[ "a document's index $m",
			"CREATE INDEX CONCURRENTLY products_data_$m ON app.products USING gin (data jsonb_path_ops)",
			"UPDATE app.products SET data = data || jsonb_build_object('m$m', id) WHERE id % 3 = 0" ],
		[ "a computed column $m", $m % 3
			? "ALTER TABLE app.feature_$m ADD label text DEFAULT 'x'"
			: "ALTER TABLE app.feature_$m ADD length integer GENERATED ALWAYS AS (length(content)) STORED" ],
		[ "a table takes another one's place $m",
			"BEGIN; CREATE TABLE app.cache_$m (id integer PRIMARY KEY, v text); "
			  . "INSERT INTO app.cache_$m SELECT n, 'old' FROM generate_series(1, 50) n; COMMIT",
			"CREATE TABLE app.cache_${m}_new (id bigint PRIMARY KEY, v text, w text)",
			"INSERT INTO app.cache_${m}_new SELECT id, 'new', v FROM app.cache_$m",
			"BEGIN; ALTER TABLE app.cache_$m RENAME TO cache_${m}_old; "
			  . "ALTER TABLE app.cache_${m}_new RENAME TO cache_$m; COMMIT",
			"UPDATE app.cache_$m SET w = 'used' WHERE id % 5 = 0",
			"DROP TABLE app.cache_${m}_old" ],
		[ "a key that is too small $m", $m == 2
			? ("ALTER TABLE app.items ALTER id TYPE bigint", "ALTER SEQUENCE app.items_id_seq AS bigint")
			: "ALTER TABLE app.cache_$m ADD CHECK (id > 0)" ],
		[ "things that are not used any more $m", $m == 1
			? "ALTER TABLE app.orders DROP note"
			: ("ALTER TABLE app.users DROP flag_$before",
				"DROP INDEX CONCURRENTLY app.orders_code_$before",
				"ALTER TABLE app.orders DROP code_$before",
				"DROP INDEX CONCURRENTLY app.products_data_$before",
				"DROP TABLE app.feature_$before, app.cache_$before CASCADE") ],
		[ "a partition that is kept elsewhere $m", $m < 3
			? "ALTER TABLE app.events ADD extra_$m jsonb"
			: (sprintf('ALTER TABLE app.events DETACH PARTITION app.events_2026_%02d', $m - 2),
				sprintf('CREATE SCHEMA IF NOT EXISTS archive; ALTER TABLE app.events_2026_%02d SET SCHEMA archive', $m - 2)) ]);
}

sub all { return map { month($_) } 1 .. 12; }

1;
