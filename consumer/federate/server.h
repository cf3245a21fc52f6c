/*
 * server.h
 *    The foreign server and user mapping of a node.
 *
 * The user mapping gets the password with which we have connected to the node,
 * from whatever place libpq took it.  The password is only in
 * script->passwords: the other statements are printed, and a server logs
 * statements that fail.
 */
#ifndef PENSTOCK_FEDERATE_SERVER_H
#define PENSTOCK_FEDERATE_SERVER_H

#include "base/error.h"
#include "federate/plan.h"

/*
 * Composes the name of a node's foreign server, PIPELINE_TARGET, in the arena.
 */
MUST_CHECK Rc server_name(const char **name, const FederateOptions *options,
						  int node, Arena *arena, Error *err);

/*
 * Appends statements that create the foreign server of a node and its user
 * mapping for the role that runs the script, or that alter those which the
 * coordinator has.
 */
MUST_CHECK Rc server_append(FederateScript *script,
							const FederateOptions *options, int node,
							Error *err);

/* Whether the node's server has asked for a password, and we have sent one. */
bool server_used_password(const FederateNode *node);

/*
 * Appends statements that drop the foreign servers of nodes which the pipeline
 * does not have any more.  To be called after script->handled is complete.
 */
MUST_CHECK Rc server_append_removed(FederateScript *script,
									const FederateOptions *options,
									const char *is_ours, Error *err);

#endif /* PENSTOCK_FEDERATE_SERVER_H */
