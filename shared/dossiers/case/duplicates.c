/* The same person and item, filed again within half a year: told, not refused. The key that finds a
 * person is led by the week of filing (schema/sql/0005): one look for each week of the time that is
 * asked about. */
#include "dossiers/case/duplicates.h"

#define WEEK_MS 604800000LL
#define PERSONS 100000000000LL /* keys of one week */
#define PERSON_AT 6            /* characters of an identity number before birth date and sequence */
#define PERSON_DIGITS 11

static int64_t person_of(const char *id)
{
    int64_t n = 0;

    for (int i = 0; *id && i < PERSON_AT; i++)
        for (id++; (*id & 0xc0) == 0x80;) /* the rest of a character */
            id++;
    for (int i = 0; i < PERSON_DIGITS && *id >= '0' && *id <= '9'; i++)
        n = n * 10 + (*id++ - '0');
    return n;
}

int64_t person_key(const char *id, int64_t filed_ms)
{
    return filed_ms / WEEK_MS * PERSONS + person_of(id);
}

enum err duplicates_find(struct db *db, const char *id, const char *item, int64_t from_ms,
                         int64_t to_ms, const char *but, struct json *list, struct errmsg *e)
{
    struct stmt *st = db_stmt(
        db, "WITH RECURSIVE week (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM week WHERE n < $2) "
            "SELECT c.case_no FROM week JOIN case_file c ON c.person = week.n * 100000000000 + $3 "
            "WHERE c.applicant_id = $4 AND c.item = $5 AND c.filed_ms BETWEEN $6 AND $7 AND "
            "c.case_no <> $8 AND c.state NOT IN ('withdrawn', 'not_accepted', 'refused') "
            "ORDER BY c.filed_ms DESC, c.case_no DESC LIMIT 5");
    enum err err;
    bool row;

    bind_int(st, 1, from_ms / WEEK_MS);
    bind_int(st, 2, to_ms / WEEK_MS);
    bind_int(st, 3, person_of(id));
    bind_text(st, 4, id);
    bind_text(st, 5, item);
    bind_int(st, 6, from_ms);
    bind_int(st, 7, to_ms);
    bind_text(st, 8, but);
    while ((err = db_step(st, &row, e)) == OK && row)
        json_push_text(list, col_text(st, 0));
    return err;
}
