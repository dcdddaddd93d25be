/* The pages: packed into the program, or from a folder. The table is made by scripts/web/pack.mjs.
 */
#ifndef API_STATIC_H
#define API_STATIC_H

#include <stdbool.h>
#include <stddef.h>

struct request;

/* A page or asset; the list is sorted by path. */
struct web_file {
    const char *path; /* "/index.html" */
    const char *type; /* "text/html; charset=utf-8" */
    const char *etag; /* 16 hex digits, without quotes */
    bool forever;     /* the name carries a hash: may be kept for a year */
    /* the file as gzip and as brotli; br_len 0: it has none */
    const unsigned char *gz;
    size_t gz_len;
    const unsigned char *br;
    size_t br_len;
};

/* What the build has packed: web_files[0 .. web_file_count), sorted by path. */
extern const struct web_file web_files[];
extern const size_t web_file_count;

/* Where pages come from: ${dir} when it is set, else ${file}. */
struct static_pages {
    /* file[0 .. count), or a folder; dir NULL: the packed ones */
    const struct web_file *file;
    size_t count;
    const char *dir;
};

/* The packed file of a request path ("/" is "/index.html"), or NULL. */
const struct web_file *static_find(const struct web_file *file, size_t count, const char *path);
/* Is ${coding} ("br") welcome by this Accept-Encoding? NULL: no. */
bool static_accepts(const char *accept_encoding, const char *coding);
/* "/a/b.html" without "..", empty or hidden parts. */
bool static_path_safe(const char *path);
/* The media type of a name, or application/octet-stream. */
const char *static_type(const char *path);
/* Answer GET or HEAD of a page; false when there is none of this path (nothing is answered then).
 */
bool static_reply(const struct static_pages *pages, struct request *req);
/* Does a person's browser ask (it accepts text/html)? Then what is missing is told as a page. */
bool static_wants_page(struct request *req);
/* Answer 404 with a page in the reader's language that leads home. */
void static_reply_missing(struct request *req);

#endif
