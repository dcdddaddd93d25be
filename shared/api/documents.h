/* GET /api/v1/documents/{digest}: the bytes of a paper, to those who may see them. */
#ifndef API_DOCUMENTS_H
#define API_DOCUMENTS_H

struct request;

/* 200 (ranges), 304, 401, 404, 429, 503 while the paper is on its way; arg: the api */
void documents_get(struct request *req, void *api);

#endif
