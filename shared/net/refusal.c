#include "net/refusal.h"

#include <assert.h>
#include <stddef.h>

#define UNREAD "请求无法读懂。"

static const struct refusal faults[] = {
    [FAULT_LINE] = {400, "bad-request", "request line", "METHOD /path HTTP/1.1", UNREAD,
                    "The request line cannot be read.", NULL, NULL},
    [FAULT_VERSION] = {505, "http-version", "HTTP version", "HTTP/1.1", "不支持这个 HTTP 版本。",
                       "This version of HTTP is not spoken here.", NULL, NULL},
    [FAULT_TARGET] = {400, "bad-target", "path", "a path of whole %HH, without control characters",
                      "网址有误。", "The address cannot be read.", NULL, NULL},
    [FAULT_HEADER] = {400, "bad-header", "header", "Name: value", UNREAD,
                      "A header cannot be read.", NULL, NULL},
    [FAULT_MANY] = {431, "too-many-headers", "header", "at most 64 headers", "请求头过多。",
                    "There are too many headers.", NULL, NULL},
    [FAULT_HOST] = {400, "bad-host", "Host", "one Host", "请求中没有主机名（Host），或不止一个。",
                    "The request must have one Host.", NULL, NULL},
    [FAULT_LENGTH] = {400, "bad-length", "Content-Length",
                      "one whole number, and no Transfer-Encoding beside it",
                      "请求内容的长度自相矛盾。",
                      "What the request says of the length of its body contradicts itself.", NULL,
                      NULL},
    [FAULT_ENCODING] = {501, "transfer-encoding", "Transfer-Encoding", "chunked",
                        "不支持这种传输编码。", "This transfer coding is not known here.", NULL,
                        NULL},
    [FAULT_EXPECT] = {417, "expectation", "Expect", "100-continue", "不支持这种 Expect。",
                      "This expectation is not known here.", NULL, NULL},
};

const struct refusal refusal_head_too_large = {431,
                                               "head-too-large",
                                               "header",
                                               "at most 16 KB of headers",
                                               "请求头过大。",
                                               "The headers are too large.",
                                               NULL,
                                               NULL};
const struct refusal refusal_too_slow = {408,
                                         "too-slow",
                                         NULL,
                                         "a whole request in time",
                                         "请求没有在规定时间内发完，请重试。",
                                         "The request did not come in time. Try again.",
                                         NULL,
                                         NULL};
const struct refusal refusal_body_too_large = {413,
                                               "body-too-large",
                                               "body",
                                               "at most 1 MB (an upload: 64 MB)",
                                               "请求内容过大。",
                                               "The body is too large.",
                                               NULL,
                                               NULL};
const struct refusal refusal_bad_chunks = {400,
                                           "bad-chunks",
                                           "body",
                                           "chunks of RFC 9112 7.1",
                                           "请求内容的分块有误。",
                                           "The chunks of the body cannot be read.",
                                           NULL,
                                           NULL};
const struct refusal refusal_no_memory = {503,
                                          "busy",
                                          NULL,
                                          NULL,
                                          "本站正忙，请稍后重试。",
                                          "This site is busy. Try again in a moment.",
                                          "Retry-After",
                                          "5"};

const struct refusal *refusal_of_fault(enum head_fault fault)
{
    assert(fault > FAULT_NONE && (size_t)fault < sizeof faults / sizeof faults[0]);
    return &faults[fault];
}
