/* Answers: headers that every answer carries, JSON, problems in two languages. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "base/buf.h"
#include "base/json.h"
#include "base/problem.h"

#include <stdbool.h>
#include <stddef.h>

struct request;

/* Is English wanted before Chinese by this Accept-Language? NULL: no. */
bool reply_english(const char *accept_language);
/* The problem as JSON; the caller frees it. */
struct json *reply_problem_json(const struct problem *p, bool english);

/* pairs: name, value, name, value ... pair_count of them. The security headers are added here. */
void reply_send(struct request *req, int status, const char *const (*pairs)[2], int pair_count,
                const char *type, const void *p, size_t n);
void reply_problem(struct request *req, const struct problem *p, const char *const (*pairs)[2],
                   int pair_count);
/* An open file; ${fd} is taken. Serves ranges. */
void reply_file(struct request *req, const char *const (*pairs)[2], int pair_count,
                const char *type, int fd, long long size);

#endif
