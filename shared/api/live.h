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

/* One for the api's life; destroy takes NULL, after the loop's sockets are told to end. */
struct live *live_create(struct api *api);
void live_destroy(struct live *l);
/* For http_config; good as long as l. */
const struct ws_endpoint *live_endpoint(struct live *l);
/* Dossier id changed: its watchers are told soon, several changes at once. */
void live_changed(struct live *l, const char *id);
/* Open sockets, the unsigned too. */
int live_count(const struct live *l);

#endif
