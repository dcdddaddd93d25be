/* Work at a node that is not running: cases filed and completed in one pass through the office's
 * own commands, so that its outbox is full when the link comes up.
 *
 *   bench_queue DIR ITEM[,ITEM...] CASES NOTES PAPERS BYTES
 *
 * Each case is filed, completed (case.accepted, case.granted, certificate.issued, delivery.ordered)
 * and gets NOTES notes. With PAPERS it is only filed, and names that many papers of BYTES random
 * bytes. The clock goes on by some seconds at each command, as in an office, and so ends some hours
 * ahead. Prints one line of JSON. */
#include "base/crypto.h"
#include "dossiers/case/case.h"
#include "office/lease.h"
#include "filing.h"
#include "ledger/blob.h"
#include "ledger/chain.h"
#include "site/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAPERS_MAX 20
#define CASES_PER_COMMIT 200

static struct errmsg e;
static struct problem p;
static int64_t now;
static uint32_t dice = 20260302;

static int64_t wall(void *arg)
{
    (void)arg;
    return now;
}

static void later(void)
{
    dice = dice * 1664525u + 1013904223u;
    now += 200 + dice / 65536 % 2500;
}

static void act(struct office *o, struct db *db, const struct caller *c, const char *no,
                const char *action)
{
    struct json *in = json_object(), *out = NULL;

    json_set_text(in, "case_no", no);
    json_set_text(in, "action", action);
    if (!strcmp(action, "note"))
        json_set_text(in, "text", "已电话告知申请人，结果由代办员送达。");
    later();
    filing_must(case_act(o, db, c, in, &out, &p), action, &e, &p);
    json_free(in);
    json_free(out);
}

/* What an upload leaves behind: the bytes, and the row that says they are here. */
static void paper(struct office *o, struct db *db, struct blob_dir *blobs, size_t n,
                  char digest[DIGEST_TEXT_LEN + 1])
{
    struct stmt *st;
    struct blob_writer *w;
    unsigned char *bytes = malloc(n);

    crypto_random(bytes, n);
    if (n > 4)
        memcpy(bytes, "\xff\xd8\xff\xe0", 4);
    filing_must(blob_begin(blobs, &w, &e), "paper", &e, &p);
    filing_must(blob_write(w, bytes, n, &e), "paper", &e, &p);
    filing_must(blob_commit(w, NULL, digest, &e), "paper", &e, &p);
    free(bytes);
    st = db_stmt(
        db, "INSERT INTO document (digest, street, dossier, size, media_type, state, hlc, name) "
            "VALUES ($1, $2, '', $3, 'image/jpeg', 'here', 0, 'photo.jpg')");
    bind_text(st, 1, digest);
    bind_text(st, 2, o->street);
    bind_int(st, 3, (int64_t)n);
    filing_must(db_run(st, &e), "paper", &e, &p);
}

static void one(struct office *o, struct db *db, struct blob_dir *blobs, const struct caller *c,
                const char *item, int i, int notes, int papers, size_t bytes)
{
    char digests[PAPERS_MAX][DIGEST_TEXT_LEN + 1], no[22];
    const char *list[PAPERS_MAX];
    struct json *in, *out = NULL;

    for (int k = 0; k < papers; k++) {
        paper(o, db, blobs, bytes, digests[k]);
        list[k] = digests[k];
    }
    later();
    in = filing_make(db, item, i, "agent", list, papers);
    filing_must(case_lodge(o, db, c, in, &out, &p), "file", &e, &p);
    snprintf(no, sizeof no, "%s", json_get_text(out, "case_no"));
    json_free(in);
    json_free(out);
    if (papers)
        return;
    act(o, db, c, no, "complete");
    while (notes--)
        act(o, db, c, no, "note");
}

int main(int argc, char **argv)
{
    struct caller agent = {.user = "agent.west",
                           .name = "代办员西",
                           .role = "agent",
                           .channel = "window",
                           .query_code = ""};
    struct host host = *host_system();
    struct blob_dir *blobs = NULL;
    char path[1200], *items[8];
    unsigned char hash[32];
    struct folder f;
    struct office o;
    struct db *db;
    uint64_t head, before;
    int n = 0;

    json_use_arenas();
    if (argc != 7 || atoi(argv[5]) > PAPERS_MAX)
        return 2;
    for (char *s = strtok(argv[2], ","); s && n < 8; s = strtok(NULL, ","))
        items[n++] = s;
    filing_must(folder_read(argv[1], &f, &e), "folder", &e, &p);
    filing_must(folder_open_db(&f, &db, &e), "database", &e, &p);
    folder_path(argv[1], "blobs", path, sizeof path);
    filing_must(blob_dir_open(path, &blobs, &e), "papers", &e, &p);
    filing_must(folder_office(&f, &o, db, &e), "office", &e, &p);
    now = (int64_t)(o.ledger.hlc_last >> 16);
    if (now < host_wall_ms(&host))
        now = host_wall_ms(&host);
    host.wall_ms = wall;
    o.host = &host;
    o.ledger.host = &host;
    agent.site = o.site;
    filing_must(db_begin(db, &e), "begin", &e, &p);
    filing_must(ledger_head(db, o.ledger.origin, &head, hash, &e), "head", &e, &p);
    if (o.parent[0]) /* as the program does at its start: what comes now has not been seen by the
                        parent */
        filing_must(lease_link_closed(&o, db, &e), "link", &e, &p);
    for (int i = 0; i < atoi(argv[3]); i++) {
        if (i && i % CASES_PER_COMMIT == 0) {
            filing_must(db_commit(db, &e), "commit", &e, &p);
            filing_must(db_begin(db, &e), "begin", &e, &p);
        }
        one(&o, db, blobs, &agent, items[i % n], i, atoi(argv[4]), atoi(argv[5]),
            (size_t)atol(argv[6]));
    }
    filing_must(db_commit(db, &e), "commit", &e, &p);
    before = head;
    filing_must(ledger_head(db, o.ledger.origin, &head, hash, &e), "head", &e, &p);
    printf("{\"origin\":\"%s\",\"parent\":\"%s\",\"cases\":%d,\"events\":%llu,\"seq\":%llu}\n",
           o.ledger.origin, o.parent, atoi(argv[3]), (unsigned long long)(head - before),
           (unsigned long long)head);
    blob_dir_close(blobs);
    office_close(&o);
    db_close(db);
    return 0;
}
