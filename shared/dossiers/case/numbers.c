#include "dossiers/case/numbers.h"

#include "base/text.h"
#include "base/time.h"
#include "office/blocks.h"

enum err number_case(struct office *o, struct db *db, int64_t now_ms, char out[22],
                     struct problem *p)
{
    char day[7];
    int64_t n;

    time_yymmdd(now_ms, day);
    enum err err = number_next(o, db, "case", day, &n, p);
    if (err == OK)
        case_number_make(o->street, day, (unsigned)n, out);
    return err;
}

enum err number_certificate(struct office *o, struct db *db, const char *prefix, int64_t now_ms,
                            char out[40], struct problem *p)
{
    char date[11];
    int64_t n;

    time_date(now_ms, date);
    enum err err = number_next(o, db, "certificate", "", &n, p);
    if (err == OK)
        snprintf(out, 40, "%.12s%.4s%.9s%06d", prefix, date, o->street, (int)n);
    return err;
}

enum err number_waybill(struct office *o, struct db *db, char out[14], struct problem *p)
{
    char digits[16];
    int64_t n;
    enum err err = number_next(o, db, "waybill", "", &n, p);

    if (err == OK) {
        snprintf(digits, sizeof digits, "%08d", (int)n);
        s10_make("EA", digits, "CN", out);
    }
    return err;
}
