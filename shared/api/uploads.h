/* Uploads by tus 1.0: creation, creation-with-upload, termination, checksum, expiration. */
#ifndef API_UPLOADS_H
#define API_UPLOADS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct api;
struct request;
struct uploads;

#define UPLOAD_BYTES_MAX (64LL << 20)

/* Uses (and makes) the folder ${dir}. NULL: it cannot be used. */
struct uploads *uploads_create(struct api *api, const char *dir, struct errmsg *e);
void uploads_destroy(struct uploads *u);

/* Handlers; arg: the api. POST and PATCH are streamed. */
void uploads_options(struct request *req, void *api);
void uploads_post(struct request *req, void *api);
void uploads_head(struct request *req, void *api);
void uploads_patch(struct request *req, void *api);
void uploads_delete(struct request *req, void *api);

#endif
