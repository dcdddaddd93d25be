#include "api/explain.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#define STORAGE                                                                                    \
    503, "storage-failed", true, "本站存储出现故障，未作任何更改。请联系管理员。",                 \
        "The storage of this site failed; nothing was changed. Call the administrator."
#define BUSY                                                                                       \
    503, "busy", false, "本站正忙，请稍后重试。", "This site is busy. Try again in a moment."
#define FAILED                                                                                     \
    500, "internal", true, "程序出错，未作任何更改。", "The program failed; nothing was changed."

static const struct row {
    int status;
    const char *code;
    bool tells; /* what was found: the sentence of the error */
    const char *zh, *en;
} rows[] = {
    [ERR_INVALID] = {422, "invalid", true, "内容有误，请核对后重试。",
                     "Something in the request is not right. Please check it."},
    [ERR_NOT_FOUND] = {404, "not-found", false, "没有找到，请核对编号。",
                       "There is nothing of this number here. Please check it."},
    [ERR_CONFLICT] = {409, "conflict", true, "与当前状态冲突，未作更改。",
                      "This conflicts with the current state; nothing was changed."},
    [ERR_DENIED] = {403, "not-allowed", false, "您的账号没有这项权限。",
                    "Your account may not do this."},
    [ERR_PEER] = {FAILED},
    [ERR_IO] = {STORAGE},
    [ERR_FULL] = {507, "disk-full", false,
                  "本站磁盘已满，未作任何更改。请联系管理员清理磁盘后重试。",
                  "The disk of this site is full; nothing was changed. Ask the administrator to "
                  "make room, then try again."},
    [ERR_BUSY] = {BUSY},
    [ERR_CORRUPT] = {STORAGE},
    [ERR_CLOSED] = {BUSY},
    [ERR_UNSUPPORTED] = {FAILED},
};

void explain_err(enum err err, const struct errmsg *e, struct problem *p)
{
    assert(err > OK && (size_t)err < sizeof rows / sizeof rows[0] && rows[err].code);
    const struct row *row = &rows[err];
    problem_set(p, row->status, row->code, NULL, NULL, row->tells && e ? e->text : NULL, row->zh,
                row->en);
}
