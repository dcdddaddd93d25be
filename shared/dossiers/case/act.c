/* The command: an action on a case, answered by the case as it is then. */
#include "base/text.h"
#include "dossiers/case/access.h"
#include "dossiers/case/actions.h"
#include "dossiers/case/case.h"
#include "dossiers/case/view.h"

enum err case_act(struct office *o, struct db *db, const struct caller *c, const struct json *in,
                  struct json **out, struct problem *p)
{
    const char *no = text_or(json_get_text(in, "case_no"), "");
    struct errmsg e = {""};
    struct case_state *s;
    struct dossier d;
    bool sees;
    enum err err = case_visible(o, db, c, no, &sees, &e);

    if (err != OK)
        return err;
    if (!sees)
        return no_case(p, no);
    if ((err = case_load(o, db, no, &d, &s, &e)) != OK)
        return err;
    err = case_do(o, db, c, &d, in, p, &e);
    dossier_close(&d);
    return err == OK ? case_show(o, db, c, in, out, p) : err;
}
