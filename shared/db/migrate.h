/* Brings a database file to the schema of this program: forward only, in one transaction. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

struct migration {
    int version;      /* ascending from 1 */
    const char *name; /* for people: that of its file */
    const char *sql;  /* statements without parameters */
};

/* migrate(db, list, n, e): run, in one transaction, what the table schema_version has not named yet.
 * Shapes  list[0 .. n), ascending versions; all of them ever released.
 * Errors  ERR_UNSUPPORTED: the file was made by a newer program, or begins with other steps than
 *         these (a format from before the first release). On any error the file is as it was. */
MUST_USE enum err migrate(struct db *db, const struct migration *list, int n, struct errmsg *e);
/* The newest version that the file has; 0 for a file without the table. */
MUST_USE enum err migrate_version(struct db *db, int *ret_version, struct errmsg *e);

/* schema/sql, embedded by the Makefile. */
extern const struct migration schema_migrations[];
extern const int schema_migration_count;

#endif
