/* The live socket: tells signed-in callers which of the cases they may see has changed.
 *
 *   client: {"token":"..."?,"since":n?,"epoch":"..."?}   (a browser's cookie does in place of a
 * token) server: {"kind":"hello","epoch":"...","seq":n}
 *           {"kind":"changed","type":"case","id":"...","case_no":"...","seq":n}   case_no: of cases; n
 *           grows; a gap is a dossier he may not see
 *           {"kind":"reload","seq":n}                    too long away: read everything again */
#ifndef API_LIVE_H
#define API_LIVE_H

#include "base/err.h"

struct api;
struct live;
struct ws_endpoint;

struct live *live_create(struct api *api);
void live_destroy(struct live *l);
const struct ws_endpoint *live_endpoint(struct live *l);
void live_changed(struct live *l, const char *id);
int live_count(const struct live *l);

#endif
