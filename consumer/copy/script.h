/*
 * script.h
 *    A file of SQL statements, as pg_restore writes it.
 */
#ifndef PENSTOCK_COPY_SCRIPT_H
#define PENSTOCK_COPY_SCRIPT_H

#include "base/error.h"

/*
 * Blanks the first line of a file that equals `line`, which ends in a newline.
 * The file may lack it.
 */
MUST_CHECK Rc script_remove_line(const char *file, const char *line,
								 Error *err);

#endif /* PENSTOCK_COPY_SCRIPT_H */
