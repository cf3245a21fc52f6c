/*
 * target_name.h
 *    What a target is called in messages.
 */
#ifndef PENSTOCK_NET_TARGET_NAME_H
#define PENSTOCK_NET_TARGET_NAME_H

/*
 * The name of the target that a connection string leads to, such as
 *
 *     target "shop@db2.example.com:5433"
 *
 * with as much of it as the string says, and no more than `target` if it says
 * none of that or cannot be read.  Never holds a password.  Free with free().
 */
char *target_name(const char *conninfo);

/* The same without the word before it and the quotes. */
char *target_address(const char *conninfo);

/*
 * The connection string without its passwords, to be printed.  NULL: it cannot
 * be read.  Free with free().
 */
char *conninfo_without_password(const char *conninfo);

#endif /* PENSTOCK_NET_TARGET_NAME_H */
