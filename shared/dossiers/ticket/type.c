/* The table of the type. Each queue of a hall counts its own numbers, anew each day; the hall keeps the
 * upper half, and lends each community some of the lower for when it is cut off. */
#include "dossiers/ticket/access.h"
#include "dossiers/ticket/rows.h"
#include "dossiers/ticket/ticket.h"

static int64_t tickets_of(int64_t cases)
{
    int64_t some = cases / 50;

    return some < 10 ? 10 : some > 50 ? 50 : some;
}

static const struct number_space spaces[] = {
    {.kind = "ticket", .size = TICKET_NUMBERS, .hub = 499, .share = tickets_of, .per_day = true},
};

const struct dossier_type ticket_type = {
    .name = "ticket",
    .letter = 'q',
    .rule = RULE_ONE_SITE,
    .fold_version = 1,
    .kinds = ticket_kinds,
    .kind_count = TICKET_KIND_COUNT,
    .spaces = spaces,
    .space_count = sizeof spaces / sizeof spaces[0],
    .tables = ticket_tables,
    .table_count = TICKET_TABLE_COUNT,
    .part = " hall ",
    .id_valid = ticket_id_fits,
    .state_bytes = sizeof(struct ticket_state),
    .numbers = ticket_numbers,
    .save = ticket_rows_save,
    .drop = ticket_rows_drop,
    .answer = ticket_join,
    .concerns = ticket_concerns,
    .each_of = ticket_each_of,
    .visible = ticket_visible,
};
