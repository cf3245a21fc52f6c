-- Types, sequences, schemas.
\pset format unaligned
\pset tuples_only on
\set get 'SELECT get_schema()'

CREATE TABLE t (a int);
SELECT open_slot();

-- Enums.
CREATE TYPE color AS ENUM ('red', 'green');
:get;
ALTER TYPE color ADD VALUE 'blue' BEFORE 'green';
:get;
ALTER TYPE color ADD VALUE 'it''s';
:get;
ALTER TYPE color RENAME VALUE 'red' TO 'rot';
:get;
ALTER TYPE color RENAME TO colour;
:get;
CREATE SCHEMA types;
ALTER TYPE colour SET SCHEMA types;
:get;
CREATE TABLE colours (a types.colour PRIMARY KEY);
INSERT INTO colours VALUES ('it''s');
:get;

-- Domains.
CREATE DOMAIN dom AS varchar(5) COLLATE "C" DEFAULT 'x' NOT NULL
	CONSTRAINT dom_first CHECK (VALUE <> '');
:get;
ALTER DOMAIN dom ADD CONSTRAINT dom_second CHECK (VALUE <> 'y') NOT VALID;
:get;
ALTER DOMAIN dom VALIDATE CONSTRAINT dom_second;
:get;
ALTER DOMAIN dom RENAME CONSTRAINT dom_second TO dom_third;
:get;
ALTER DOMAIN dom DROP CONSTRAINT dom_third;
:get;
ALTER DOMAIN dom DROP DEFAULT;
:get;
ALTER DOMAIN dom DROP NOT NULL;
:get;
ALTER DOMAIN dom RENAME TO dom2;
:get;

-- Composite types, and what uses them.
CREATE TYPE comp AS (x int, y numeric(5, 2), z text COLLATE "C");
:get;
ALTER TYPE comp RENAME ATTRIBUTE x TO xx;
:get;
ALTER TYPE comp DROP ATTRIBUTE y, ADD ATTRIBUTE "W" types.colour[];
:get;
ALTER TYPE comp RENAME TO comp2;
:get;
ALTER TYPE comp2 SET SCHEMA types;
:get;
CREATE TABLE of_comp OF types.comp2;
ALTER TYPE types.comp2 ALTER ATTRIBUTE z TYPE varchar(3) CASCADE;
:get;

-- Sequences.
CREATE SEQUENCE seq AS smallint START -5 INCREMENT -2 MINVALUE -100 MAXVALUE 10
	CACHE 3 CYCLE;
:get;
ALTER SEQUENCE seq INCREMENT 7 NO CYCLE;
:get;
ALTER SEQUENCE seq OWNED BY t.a;
:get;
ALTER SEQUENCE seq OWNED BY NONE;
:get;
ALTER SEQUENCE seq RENAME TO seq2;
:get;
ALTER SEQUENCE seq2 SET SCHEMA types;
:get;
-- Its values are no change of it.
SELECT nextval('types.seq2'), setval('types.seq2', 5, true);
:get;

-- Schemas.
CREATE SCHEMA "Schema 2" CREATE TABLE inside (a int);
:get;
ALTER SCHEMA "Schema 2" RENAME TO schema3;
:get;

-- They go.
DROP TYPE types.comp2 CASCADE;
:get;
DROP DOMAIN dom2;
:get;
DROP TABLE colours, t;
:get;
DROP SCHEMA types, schema3 CASCADE;
:get;
SELECT close_slot();
