/* The files and folders of the disks: what is there now, what would be there after a power failure,
 * and copies of it all. */
#include "files_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name *files_names[DISKS_MAX][BUCKETS];
static int unsafe[DISKS_MAX]; /* something may be at risk: only a hint */

void *files_there(void *p)
{
    if (!p)
        abort();
    return p;
}

struct node *files_node_hold(struct node *x)
{
    if (x)
        x->refs++;
    return x;
}

void files_node_let_go(struct node *x)
{
    if (!x || --x->refs)
        return;
    free(x->data);
    free(x);
}

void files_set(struct node **slot, struct node *x)
{
    struct node *old = *slot;

    *slot = files_node_hold(x);
    files_node_let_go(old);
}

struct name *files_find(int disk, const char *path, bool make)
{
    uint64_t h = 1469598103934665603ULL;

    for (const char *p = path; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    for (struct name *x = files_names[disk][h % BUCKETS]; x; x = x->next)
        if (x->hash == h && !strcmp(x->path, path))
            return x;
    if (!make)
        return NULL;
    struct name *x = files_there(calloc(1, sizeof *x));
    x->hash = h;
    if (strlen(path) >= sizeof x->path)
        abort();
    strcpy(x->path, path);
    x->next = files_names[disk][h % BUCKETS];
    return files_names[disk][h % BUCKETS] = x;
}

struct node *files_node_at(int disk, const char *path)
{
    struct name *x = files_find(disk, path, false);

    return x ? x->now : NULL;
}

bool files_parent_is_there(int disk, const char *path)
{
    char up[100];
    const char *slash = strrchr(path, '/');

    if (!slash)
        return true;
    snprintf(up, sizeof up, "%.*s", (int)(slash - path), path);
    struct node *x = files_node_at(disk, up);
    return x && x->dir;
}

struct node *files_node_new(bool dir)
{
    struct node *x = files_there(calloc(1, sizeof *x));

    x->dir = dir;
    return x;
}

void files_changed(int disk)
{
    unsafe[disk] = 1;
}

/* ---- the whole disk ---------------------------------------------------------------------------*/

void files_wipe(int n)
{
    for (int b = 0; b < BUCKETS; b++)
        while (files_names[n][b]) {
            struct name *x = files_names[n][b];
            files_names[n][b] = x->next;
            files_node_let_go(x->now);
            files_node_let_go(x->safe);
            free(x);
        }
    unsafe[n] = 0;
}

struct copy {
    struct name *names;
};

void *files_copy(int n)
{
    struct copy *c = files_there(calloc(1, sizeof *c));

    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = files_names[n][b]; x; x = x->next) {
            if (!x->now)
                continue;
            struct name *y = files_there(calloc(1, sizeof *y));
            struct node *z = files_node_new(x->now->dir);
            memcpy(y->path, x->path, sizeof y->path);
            z->len = z->cap = z->synced = x->now->len;
            if (z->len) {
                z->data = files_there(malloc(z->len));
                memcpy(z->data, x->now->data, z->len);
            }
            y->now = files_node_hold(z);
            y->next = c->names;
            c->names = y;
        }
    return c;
}

void files_put(int n, const void *copy)
{
    const struct copy *c = copy;

    files_wipe(n);
    for (struct name *y = c->names; y; y = y->next) {
        struct name *x = files_find(n, y->path, true);
        struct node *z = files_node_new(y->now->dir);
        z->len = z->cap = z->synced = y->now->len;
        if (z->len) {
            z->data = files_there(malloc(z->len));
            memcpy(z->data, y->now->data, z->len);
        }
        files_set(&x->now, z);
        files_set(&x->safe, z);
    }
}

void files_copy_free(void *copy)
{
    struct copy *c = copy;

    while (c && c->names) {
        struct name *y = c->names;
        c->names = y->next;
        files_node_let_go(y->now);
        free(y);
    }
    free(c);
}

bool files_at_risk(int n)
{
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = files_names[n][b]; x; x = x->next)
            if (x->now && x->now->synced < x->now->len)
                return true;
    return false;
}

/* Each name that was not synced is new or old, each file's unsynced end is there, cut, or (most
 * often: a program notices it last) a hole of zeros. */
void files_power_cycle(int n, uint64_t (*dice)(uint64_t below))
{
    if (!unsafe[n])
        return;
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = files_names[n][b]; x; x = x->next) {
            if (x->now != x->safe && !dice(4))
                files_set(&x->now, x->safe);
            struct node *y = x->now;
            if (y && y->synced < y->len) {
                uint64_t fate = dice(4);
                size_t from = y->synced + (size_t)dice(y->len - y->synced + 1);
                if (fate == 1)
                    y->len = from;
                else if (fate > 1)
                    memset(y->data + from, 0, y->len - from);
                y->synced = y->len;
            }
            files_set(&x->safe, x->now);
        }
    for (int pass = 0; pass < 2; pass++) /* with a folder goes what is in it */
        for (int b = 0; b < BUCKETS; b++)
            for (struct name *x = files_names[n][b]; x; x = x->next)
                if (x->now && !files_parent_is_there(n, x->path)) {
                    files_set(&x->now, NULL);
                    files_set(&x->safe, NULL);
                }
    unsafe[n] = 0;
}

void files_each(int n, void (*fn)(void *arg, const char *name), void *arg)
{
    for (int b = 0; b < BUCKETS; b++)
        for (struct name *x = files_names[n][b]; x; x = x->next) {
            const char *name = strrchr(x->path, '/');
            if (x->now && !x->now->dir && name && strlen(name + 1) == 64 &&
                !strstr(x->path, "partial/"))
                fn(arg, name + 1);
        }
}
