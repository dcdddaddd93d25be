/* Fill a district's folder with cases of many days, through the office's own commands: bench_fill
 * DIR ITEM N */
#include "base/time.h"
#include "dossiers/case/case.h"
#include "filing.h"
#include "site/folder.h"

#include <stdlib.h>

static int64_t now;

static int64_t wall(void *arg)
{
    (void)arg;
    return now += 50;
}

int main(int argc, char **argv)
{
    struct caller clerk = {
        .user = "clerk", .name = "窗口甲", .role = "clerk", .channel = "window", .query_code = ""};
    struct host host = *host_system();
    struct errmsg e = {""};
    struct problem p = {0};
    struct folder f;
    struct office o;
    struct db *db;
    int n = argc == 4 ? atoi(argv[3]) : 0;

    json_use_arenas();
    if (!n)
        return 2;
    filing_must(folder_read(argv[1], &f, &e), "folder", &e, &p);
    filing_must(folder_open_db(&f, &db, &e), "database", &e, &p);
    now = time_start_of_day(time_days_of(2026, 3, 2));
    host.wall_ms = wall;
    filing_must(folder_office(&f, &o, db, &e), "office", &e, &p);
    o.host = &host;
    o.ledger.host = &host;
    clerk.site = o.site;
    for (int i = 0; i < n; i++) {
        struct json *in, *out = NULL;
        if (i % 1000 == 0)
            filing_must(db_begin(db, &e), "begin", &e, &p);
        if (i % 5000 == 4999)
            now += 86400000;
        in = filing_make(db, argv[2], i, "pickup", NULL, 0);
        filing_must(case_lodge(&o, db, &clerk, in, &out, &p), "file", &e, &p);
        json_free(in);
        json_free(out);
        if (i % 1000 == 999 || i == n - 1)
            filing_must(db_commit(db, &e), "commit", &e, &p);
    }
    office_close(&o);
    db_close(db);
    return 0;
}
