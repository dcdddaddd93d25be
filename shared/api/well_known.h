/* What browsers and tools ask of every site: robots.txt, security.txt, favicon.ico. */
#ifndef API_WELL_KNOWN_H
#define API_WELL_KNOWN_H

struct request;

/* Handlers; arg: the api. */
void well_known_robots(struct request *req, void *api); /* pages may be found, calls need not */
void well_known_security(struct request *req,
                         void *api); /* RFC 9116; DIR/security.txt when there */
void well_known_icon(struct request *req, void *api);

#endif
