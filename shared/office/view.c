#include "office/view.h"

#include "base/text.h"
#include "base/time.h"
#include "office/sites.h"

#include <stdlib.h>

void view_time(struct json *o, const char *key, int64_t ms)
{
    char text[32];

    if (!ms)
        return;
    time_rfc3339(ms, text);
    json_set_text(o, key, text);
}

void view_copy(struct json *to, const char *key, const struct json *from)
{
    struct json *v = json_get(from, key);

    if (v)
        json_set(to, key, json_copy(v));
}

/* ---- histories --------------------------------------------------------------------------------*/

static struct json *line_of(const struct dossier_event *x)
{
    struct json *line = json_object();
    const char *text = json_get_text(x->personal, "reason");
    char kind[48];

    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(x->ev.kind, "/"), x->ev.kind);
    json_set_int(line, "at_ms", x->at_ms);
    json_set_text(line, "kind", kind);
    json_set_text(line, "title", x->kind ? x->kind->zh : "较新版本程序记录的一步");
    json_set_text(line, "title_en",
                  x->kind ? x->kind->en : "A step that a newer program has taken");
    json_set_text(line, "site", x->site);
    json_set_text(line, "actor_name", json_get_text(x->personal, "by"));
    json_set_text(line, "text", text ? text : json_get_text(x->personal, "text"));
    return line;
}

/* People read a history by the time of each step. */
static int by_time(const void *a, const void *b)
{
    const struct dossier_event *x = *(struct dossier_event *const *)a,
                               *y = *(struct dossier_event *const *)b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return event_order(&x->ev, &y->ev);
}

/* What a stranger has said is in nobody's history, nor that it was overruled. */
static bool of_a_stranger(const struct dossier_event *x)
{
    return x->kind && x->kind->may == MAY_OVERRULE &&
           (!x->overrules || x->overrules->verdict == VERDICT_DENIED);
}

struct json *view_lines(const struct dossier *d)
{
    struct dossier_event **told = arena_alloc(d->arena, sizeof *told * (size_t)d->count);
    struct json *list = json_array();

    for (int i = 0; i < d->count; i++)
        told[i] = &d->events[i];
    qsort(told, (size_t)d->count, sizeof *told, by_time);
    for (int i = 0; i < d->count; i++)
        if (dossier_event_counts(told[i]) && !of_a_stranger(told[i]))
            json_push(list, line_of(told[i]));
    return list;
}

struct json *view_history(struct db *db, const struct json *lines, bool internal,
                          const char *hidden)
{
    struct json *list = json_array();
    char name[64], at[32];

    for (size_t i = 0; i < json_count(lines); i++) {
        const struct json *l = json_at(lines, i);
        if (!internal && word_in(hidden, json_get_text(l, "kind")))
            continue;
        struct json *t = json_copy(l);
        time_rfc3339(json_get_int(l, "at_ms", 0), at);
        json_del(t, "at_ms");
        json_set_text(t, "at", at);
        site_name_of(db, text_or(json_get_text(l, "site"), ""), name);
        json_set_text(t, "site_name", name);
        if (!internal)
            json_del(t, "actor_name");
        json_push(list, t);
    }
    return list;
}
