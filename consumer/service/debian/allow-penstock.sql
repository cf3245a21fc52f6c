-- Lets a server load Penstock's output plugin: adds it to what the setting
-- output_plugin_libraries has.  Changes nothing where it is there already, and
-- where the server has no such setting.
--
--     psql -X -f allow-penstock.sql            as a superuser
--
-- A name may be in double quotes there.  Each becomes a literal of its own,
-- because ALTER SYSTEM would store one literal with commas as a single name.

\set ON_ERROR_STOP on

WITH library AS (
	SELECT coalesce(replace(m[1], '""', '"'), m[2]) AS name, number
	FROM pg_settings,
		regexp_matches(setting, '"((?:[^"]|"")*)"|([^,\s"]+)', 'g')
			WITH ORDINALITY AS r (m, number)
	WHERE pg_settings.name = 'output_plugin_libraries')
SELECT format('ALTER SYSTEM SET output_plugin_libraries = %s', (
	SELECT string_agg(quote_literal(name), ', ' ORDER BY number)
	FROM (SELECT name, number FROM library
		UNION ALL SELECT 'penstock', 1e9) AS l))
FROM pg_settings
WHERE pg_settings.name = 'output_plugin_libraries'
	AND NOT EXISTS (SELECT FROM library WHERE name = 'penstock')
\gexec

SELECT pg_reload_conf() AS reloaded \gset
