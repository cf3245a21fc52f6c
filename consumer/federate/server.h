/*
 * server.h
 *    A node as postgres_fdw's foreign server.
 *
 * The password that the node was reached with, from wherever libpq took it, is
 * the user mapping's too.  It goes into script->passwords alone: statements are
 * printed, and a server writes those that fail into its log.
 */
#ifndef PENSTOCK_FEDERATE_SERVER_H
#define PENSTOCK_FEDERATE_SERVER_H

#include "base/error.h"
#include "federate/plan.h"

/* What a node's server is called: PIPELINE_TARGET.  In `arena`. */
MUST_CHECK Rc server_name(const char **name, const FederateOptions *options,
						  int node, Arena *arena, Error *err);

/*
 * Appends what makes a node's server and the user mapping of whoever runs the
 * script, or alters what the coordinator has of them.
 */
MUST_CHECK Rc server_append(FederateScript *script,
							const FederateOptions *options, int node,
							Error *err);

/* Whether the node asked for a password, and got one. */
bool server_used_password(const FederateNode *node);

/*
 * Appends what takes the servers of nodes away that the pipeline has no more.
 * To be called when script->handled has all tables.
 */
MUST_CHECK Rc server_append_removed(FederateScript *script,
									const FederateOptions *options,
									const char *is_ours, Error *err);

#endif /* PENSTOCK_FEDERATE_SERVER_H */
