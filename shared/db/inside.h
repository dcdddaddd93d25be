/* What db.c and stmt.c know of each other: the connection and its statements. Private. */
#ifndef DB_INSIDE_H
#define DB_INSIDE_H

#include "db/db.h"

#include <sqlite3.h>

#define PARAMS_MAX 20    /* with a number for a name */
#define BUCKETS 256      /* of statements, by a hash of the text */
#define RECENT 512       /* of statements, by the address of the text: a power of two */
#define SAVEPOINTS_MAX 4 /* one in another */

struct stmt {
    struct stmt *next;         /* in the same bucket */
    struct db *db;             /* its connection */
    sqlite3_stmt *st;          /* NULL: it could not be prepared yet */
    char *sql;                 /* its text */
    bool running;              /* in the middle of its rows */
    int index[PARAMS_MAX + 1]; /* of the parameter "$n", else n; 0: there is none */
};

struct db {
    sqlite3 *h;        /* the connection */
    enum db_mode mode; /* as it was opened */
    char *path;        /* as it was opened */
    int depth;         /* savepoints open */
    bool
        begun; /* by db_begin(); SQLite ends a transaction by itself when a read or a write fails */
    int running;                  /* statements in the middle of their rows */
    struct stmt *bucket[BUCKETS]; /* every statement prepared so far */
    struct stmt *recent[RECENT];  /* saves hashing the text; the text is compared all the same */
    void (*on_log)(void *arg, int pages); /* of db_on_log(), with on_log_arg; NULL: nobody */
    void *on_log_arg;
};

/* What a code of SQLite means; the sentence for e. Out of memory ends the program. */
enum err db_fail(struct db *db, int rc, struct errmsg *e);
/* A mistake in the SQL is a mistake in the program: ends it. */
void db_check_sql(struct db *db, int rc, const char *sql);
/* Not OK (of SQLite): the world failed (I/O, a busy schema); the statement stays empty and can be
 * tried again. */
int stmt_prepare(struct stmt *st);

#endif
