/* Paper: what a hub prints. The only room of cairo, pango, libqrencode and zint.
 *
 * Each appends one PDF to ${pdf}; not for two threads at once. What ${show} does not have stays out.
 * Errors  ERR_INVALID: a code that must be on it cannot be drawn; ERR_IO: the library failed. ${pdf}
 *         may hold a part then. */
#ifndef HUB_PRINT_H
#define HUB_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* A4: the result with its number, holder, issuer and a QR code of its signed token. show: GET
 * /certificates/N. */
enum err print_certificate(const struct json *show, struct buf *pdf, struct errmsg *e);
/* 100 x 150 mm: the label of a delivery with its number as Code 128. Names and numbers of people
 * are masked as on any courier's label. show: GET /deliveries/ID. */
enum err print_label(const struct json *show, struct buf *pdf, struct errmsg *e);

#endif
