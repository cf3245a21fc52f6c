/*
 * report.c
 *    penstock report: what somebody who is to help has to know of a pipeline.
 *
 * Versions, settings, the state as penstock status prints it, slots, sessions,
 * and, if standard input is a file or a pipe, the end of a log that comes from
 * there.  No connection strings, and no values: what may be one is masked
 * (mask.h).  A server that cannot be reached does not keep the rest from being
 * reported.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/report/mask.h"
#include "cmd/status/judge.h"
#include "cmd/status/people.h"
#include "config/option.h"
#include "net/pgconn_open.h"
#include "net/target_name.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Lines of a log that are kept: the last ones; and bytes of one. */
#define LOG_LINES_MAX 300
#define LOG_LINE_MAX  2000

/* Questions to a server, each with a title. */
typedef struct Question
{
	const char *title;
	const char *sql;
} Question;

#define SETTINGS_SQL                                                           \
	"SELECT name, setting, unit, source FROM pg_settings WHERE name IN ("      \
	"'wal_level', 'max_wal_senders', 'max_replication_slots',"                 \
	" 'max_slot_wal_keep_size', 'wal_sender_timeout', 'wal_keep_size',"        \
	" 'logical_decoding_work_mem', 'max_connections',"                         \
	" 'max_locks_per_transaction', 'max_prepared_transactions',"               \
	" 'synchronous_commit', 'synchronous_standby_names', 'statement_timeout'," \
	" 'idle_in_transaction_session_timeout', 'lock_timeout', 'fsync',"         \
	" 'shared_buffers', 'max_wal_size', 'checkpoint_timeout',"                 \
	" 'track_commit_timestamp', 'output_plugin_libraries') ORDER BY name"

#define SESSIONS_SQL                                                           \
	"SELECT pid, application_name, state, wait_event_type, wait_event,"        \
	" now() - xact_start AS transaction, now() - state_change AS since"        \
	" FROM pg_stat_activity WHERE application_name LIKE 'penstock%'"           \
	" AND pid <> pg_backend_pid() ORDER BY pid"

static const Question of_source[] = {
	{"version", "SELECT version()"},
	{"settings", SETTINGS_SQL},
	{"slots", "SELECT * FROM pg_replication_slots ORDER BY slot_name"},
	{"walsenders",
	 "SELECT pid, application_name, state, sent_lsn, write_lsn, flush_lsn,"
	 " replay_lsn, backend_start FROM pg_stat_replication ORDER BY pid"},
	{"publications", "SELECT * FROM pg_publication ORDER BY pubname"},
	{"sessions", SESSIONS_SQL},
};

static const Question of_target[] = {
	{"version", "SELECT version()"},
	{"settings", SETTINGS_SQL},
	{"tables of schema penstock",
	 "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables"
	 " WHERE schemaname = 'penstock' ORDER BY relname"},
	{"slots", "SELECT * FROM pg_replication_slots ORDER BY slot_name"},
	{"sessions", SESSIONS_SQL},
};

static void
print_title(const char *title)
{
	printf("\n== %s\n", title);
}

/* Prints a text with a line after it, masked. */
static void
print_masked(const char *text, bool is_log)
{
	Buf masked;

	buf_init(&masked, BUF_TEXT_MAX);
	if (is_log)
		mask_append_log_line(&masked, text);
	else
		mask_append(&masked, text, false);
	printf("%s\n", masked.length > 0 ? masked.data : "");
	buf_release(&masked);
}

/* ---- the program -------------------------------------------------------- */

static void
print_program(void)
{
	struct utsname system;
	int libpq = PQlibVersion();

	print_title("program");
	printf("penstock %s, libpq %d.%d\n", PENSTOCK_VERSION, libpq / 10000,
		   libpq % 10000);
	if (uname(&system) == 0)
		printf("%s %s %s\n", system.sysname, system.release, system.machine);
}

/* Whether an option's values may have secrets in them. */
static bool
is_secret(const OptionDef *option)
{
	return option->type == &type_conninfo || option->type == &type_targets ||
		   option->type == &type_command;
}

static void
print_option(const OptionDef *option, const Config *config, Arena *arena)
{
	Words values = {0};

	option->type->print(config, option, arena, &values);
	if (is_secret(option))
		printf("%s is given\n", option->name);
	else if (values.count == 0)
		printf("%s\n", option->name);
	for (int i = 0; i < values.count && !is_secret(option); i++)
		printf("%s = %s\n", option->name, values.words[i]);
}

static void
print_options(const Config *config)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);

	print_title("options of this command");
	printf("pipeline %s, %d targets, %d rules of placement\n", config->name,
		   config->target_count,
		   config->placement != NULL ? placement_rule_count(config->placement)
									 : 0);
	for (size_t i = 0; i < option_count; i++)
		if (config_is_given(config, option_table[i].name))
			print_option(&option_table[i], config, arena);
	arena_free(arena);
}

/* ---- servers ------------------------------------------------------------ */

static void
print_rows(const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
		for (int column = 0; column < PQnfields(result); column++)
			printf("%s%s=%s%s", column == 0 ? "" : "  ",
				   PQfname(result, column),
				   PQgetisnull(result, row, column)
					   ? "null"
					   : PQgetvalue(result, row, column),
				   column == PQnfields(result) - 1 ? "\n" : "");
	if (PQntuples(result) == 0)
		printf("none\n");
}

/* Prints the failure in place of what was asked for, unless it is a stop. */
static MUST_CHECK Rc
print_failure(Rc rc, Error *err)
{
	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED)
		return rc;
	print_masked(err->message, false);
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
ask(PgConn *server, const char *label, const Question *question, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(server, question->sql, &result, err);

	printf("\n-- %s: %s\n", label, question->title);
	if (rc == RC_OK)
		print_rows(result);
	PQclear(result);
	return print_failure(rc, err);
}

static MUST_CHECK Rc
print_server(const char *conninfo, const char *label, const Question *questions,
			 size_t count, Error *err)
{
	const PgConnOptions options = {.conninfo = conninfo,
								   .label = label,
								   .application_name = "penstock report",
								   .kind = PGCONN_DATA};
	PgConn *server = NULL;
	Rc rc = pgconn_open(&server, &options, err);

	print_title(label);
	if (rc != RC_OK)
		return print_failure(rc, err);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = ask(server, label, &questions[i], err);
	pgconn_close(server);
	return rc;
}

static MUST_CHECK Rc
print_servers(const Config *config, Error *err)
{
	Rc rc = print_server(config->source, "source", of_source,
						 LENGTH_OF(of_source), err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(config, i, label);
		rc = print_server(config->targets[i], label, of_target,
						  LENGTH_OF(of_target), err);
	}
	return rc;
}

/* ---- the state ---------------------------------------------------------- */

static void
print_status_text(const PipelineStatus *status, const Config *config)
{
	Error slot_error = {0};
	const char *problem = status_slot_problem(status, config, &slot_error);
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out != NULL)
	{
		status_print(out, status, config, problem, NULL, NULL);
		if (fclose(out) == 0)
			print_masked(text, false);
		free(text);
	}
	error_reset(&slot_error);
}

static MUST_CHECK Rc
print_status(const Config *config, Error *err)
{
	PipelineStatus status = {0};
	Rc rc = status_take(&status, config, err);

	print_title("status");
	if (rc == RC_OK)
		print_status_text(&status, config);
	status_release(&status);
	return rc;
}

/* ---- the log ------------------------------------------------------------ */

/* Whether somebody gives us something to read, and does not sit there. */
static bool
has_input(void)
{
	struct stat about;

	return fstat(STDIN_FILENO, &about) == 0 &&
		   (S_ISFIFO(about.st_mode) || S_ISREG(about.st_mode));
}

/* Prints the last lines of standard input. */
static void
print_log(void)
{
	char *lines[LOG_LINES_MAX] = {NULL};
	char *line = NULL;
	size_t room = 0;
	size_t count = 0;
	ssize_t length;

	print_title("log");
	if (!has_input())
	{
		printf("none was given: journalctl -u penstock@NAME -o cat | penstock "
			   "report\n");
		return;
	}
	while ((length = getline(&line, &room, stdin)) >= 0)
	{
		char **place = &lines[count++ % LOG_LINES_MAX];

		while (length > 0 &&
			   (line[length - 1] == '\n' || length > LOG_LINE_MAX))
			line[--length] = '\0';
		free(*place);
		*place = line;
		line = NULL;
		room = 0;
	}
	free(line);
	for (size_t i = 0; i < LOG_LINES_MAX; i++)
	{
		char *each = lines[(count + i) % LOG_LINES_MAX];

		if (each != NULL)
			print_masked(each, true);
		free(each);
	}
}

/* ------------------------------------------------------------------------- */

Rc
command_report(const Config *config, Error *err)
{
	Rc rc = config_require_source(config, err);

	if (rc != RC_OK)
		return rc;
	printf("Report of a pipeline.  Connection strings are not in it, and what "
		   "may be a value of a row\nis replaced by a question mark.  Names of "
		   "tables, hosts and roles are in it: read it before\nyou pass it "
		   "on.\n");
	print_program();
	print_options(config);
	rc = print_status(config, err);
	if (rc == RC_OK)
		rc = print_servers(config, err);
	if (rc == RC_OK)
		print_log();
	if (rc == RC_OK && fflush(stdout) != 0)
		return error_set(err, ERR_IO, "could not write to standard output: %s",
						 strerror(errno));
	return rc;
}
