/* Many nodes in one process, for the benchmarks: what they are made of, and the file that holds
 * them. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "sync/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One node as it stands before it dials: who it is, what it holds of the hub's outbox, what waits
 * in its own. */
struct fleet_node {
    char code[13];
    unsigned char seed[32], stream[16], hub_stream[16];
    uint64_t hub_pos;
    const unsigned char *cert; /* PEM, the chain */
    size_t cert_len;
    struct sync_event *events;
    size_t event_count;
    unsigned char hash[32]; /* of the last event: the head of its chain */
};

struct fleet {
    const unsigned char *key; /* PEM; one for all: a certificate each is what a hub sees */
    size_t key_len;
    struct fleet_node *nodes;
    size_t count;
};

/* The nodes of `path` into ret; they stay until the program ends. Ends it on a fault. */
void fleet_load(const char *path, struct fleet *ret);

/* Enrol `count` communities at the hub in `dir`, which is not running, and write them to `path`. With
 * cases > 0 the hub is a street, which takes them in by office_enrol(); each has that many cases
 * filed and completed while it was cut off (five events a case), made by the office's own commands.
 * With 0 only their links and keys are written, and the hub may be a district with the communities of
 * many streets: office_enrol() tells every child of every other, which is a hundred million rows for
 * ten thousand. */
void fleet_prepare(const char *dir, const char *path, int count, int cases);
/* What the hub in `dir` holds, one line of JSON. */
void fleet_check(const char *dir);

#endif
