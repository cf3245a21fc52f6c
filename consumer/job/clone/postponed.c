/*
 * postponed.c
 *    Logs and writes the postponed keys.
 */
#include "job/clone/postponed.h"

#include "base/log.h"
#include "control/copy/postponed_key.h"

static void
say_postponed(PgConn *target, const PostponedKey *key, bool added)
{
	log_warning("copy.key-postponed",
				"foreign key %s of table %s on %s %s: the tables were copied "
				"as of different positions, and rows refer to some that are "
				"not there yet",
				key->name, key->table, pgconn_label(target),
				added ? "is not valid yet" : "is not there yet");
	log_warning("copy.key-postponed",
				"\"penstock follow\" sees to it when it has come to " LSN_FORMAT
				", by: %s",
				LSN_ARGS(key->not_before), key->statement);
}

Rc
postponed_note(PgConn *target, const char *pipeline, const Build *build,
			   Lsn lsn, Error *err)
{
	int count = 0;
	const BuildPostponedKey *postponed = build_postponed_keys(build, &count);
	Rc rc = RC_OK;

	ASSERT(pgconn_can_be_inside(target) && lsn != 0);
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		const PostponedKey key = {
			.table = postponed[i].table,
			.name = postponed[i].name,
			.statement = postponed[i].statement,
			.not_before = lsn,
		};

		rc = postponed_key_write(target, pipeline, &key, err);
		say_postponed(target, &key, postponed[i].added);
	}
	return rc;
}
