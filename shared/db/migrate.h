/* Brings a database file to the schema of this program: forward only, in one transaction. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

struct migration {
    int version; /* ascending from 1 */
    const char *name;
    const char *sql;
};

/* Run what the table schema_version does not name yet. ERR_UNSUPPORTED: the file was made by a
 * newer program, or begins with other steps than these (a format from before the first release).
 * On any error the file is as it was. */
MUST_USE enum err migrate(struct db *db, const struct migration *list, int n, struct errmsg *e);
/* 0 for a file without the table. */
MUST_USE enum err migrate_version(struct db *db, int *ret_version, struct errmsg *e);

/* schema/sql, embedded by the Makefile. */
extern const struct migration schema_migrations[];
extern const int schema_migration_count;

#endif
