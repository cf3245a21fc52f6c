/*
 * place.c
 *    Asking the source what is to be placed.
 */
#include "cmd/place.h"

#include "copy/placed.h"

Rc
place_read_distribution(const Config *config, PgConn *source, Buf *distribution,
						Error *err)
{
	const CatalogOptions options = {
		.publications = config->publications,
		.without_unlogged = true,
	};
	CopyCatalog *catalog = NULL;
	Placed *placed = NULL;
	Rc rc;

	if (config->placement == NULL)
		return RC_OK;
	rc = catalog_read(&catalog, source, &options, err);
	if (rc == RC_OK)
		rc = placed_read(&placed, catalog, config->placement, source, err);
	if (rc == RC_OK)
		rc = placed_require_good(placed, err);
	if (rc == RC_OK)
		placed_append_distribution(placed, config->placement, distribution);
	if (rc == RC_OK && distribution->overflowed)
		rc = error_set(err, ERR_LIMIT, "too many tables are hashed");
	placed_free(placed);
	catalog_free(catalog);
	return rc;
}
