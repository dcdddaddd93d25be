/* GET /api/v1/documents/{digest}: the bytes of a paper, to those who may see them. */
#ifndef API_DOCUMENTS_H
#define API_DOCUMENTS_H

struct request;

void documents_get(struct request *req, void *api);

#endif
