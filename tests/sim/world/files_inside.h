/* What files.c and files_calls.c know of each other: nodes, and the names that point to them. */
#ifndef SIM_FILES_INSIDE_H
#define SIM_FILES_INSIDE_H

#include "disk.h"
#include "files.h"

#include <stddef.h>

struct node {
    int refs; /* names, now or durably, and open descriptors */
    bool dir;
    unsigned char *data;
    size_t len, cap;
    size_t synced; /* bytes that are safe */
};

/* A path, and what it names: now, and after a power failure if it comes now. */
struct name {
    struct name *next;
    uint64_t hash;
    struct node *now, *safe;
    char path[100]; /* below /disk<N>/ */
};

#define BUCKETS 128
extern struct name *files_names[DISKS_MAX][BUCKETS];

/* A node lives as long as somebody holds it. */
struct node *files_node_new(bool dir);
struct node *files_node_hold(struct node *x);
void files_node_let_go(struct node *x);
void files_set(struct node **slot, struct node *x); /* hold the new, let go the old */
struct name *files_find(int disk, const char *path, bool make);
struct node *files_node_at(int disk, const char *path); /* now, or NULL */
bool files_parent_is_there(int disk, const char *path);
void files_changed(int disk); /* something may be at risk from now on */
void *files_there(void *p);   /* an allocation that must not fail */

#endif
