/*
 * target_name.h
 *    The name of a target in messages.
 */
#ifndef PENSTOCK_NET_TARGET_NAME_H
#define PENSTOCK_NET_TARGET_NAME_H

/*
 * Returns the name of the target that a connection string leads to, such as
 *
 *     target "shop@db2.example.com:5433"
 *
 * Database, host or port are left out where the string does not give them.  If
 * it gives none, or libpq cannot parse it, the name is the word `target` alone.
 * It never contains a password.  The caller frees it with free().
 */
char *target_name(const char *conninfo);

/*
 * Returns the part between the quotes of target_name(), which may be empty.
 * The caller frees it with free().
 */
char *target_address(const char *conninfo);

/*
 * Returns the connection string without passwords, for printing; NULL if libpq
 * cannot parse it.  The caller frees it with free().
 */
char *conninfo_without_password(const char *conninfo);

#endif /* PENSTOCK_NET_TARGET_NAME_H */
