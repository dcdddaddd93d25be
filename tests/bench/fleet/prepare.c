/* The nodes of a fleet: made here, read back by fleet.c. */
#include "fleet.h"

#include "../filing.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "dossiers/all.h"
#include "dossiers/case/case.h"
#include "office/enrol.h"
#include "office/lease.h"
#include "db/migrate.h"
#include "ledger/chain.h"
#include "ledger/link_rows.h"
#include "ledger/row.h"
#include "net/pki.h"
#include "site/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMUNITIES_PER_STREET 900
#define COMMIT_EVERY 100

static struct errmsg e;
static struct problem p;

static void must(enum err err, const char *what)
{
    filing_must(err, what, &e, &p);
}

/* ---- the hub's side ---------------------------------------------------------------------------*/

struct hub {
    struct folder folder;
    struct office office;
    struct db *db;
    struct buf ca_key, ca_cert, key, csr;
};

static void read_key(struct hub *h, const char *name, struct buf *out)
{
    char path[1200];

    folder_path(h->folder.dir, name, path, sizeof path);
    must(file_read(path, out, &e), name);
}

static void hub_open(struct hub *h, const char *dir)
{
    memset(h, 0, sizeof *h);
    must(folder_read(dir, &h->folder, &e), "folder");
    must(folder_open_db(&h->folder, &h->db, &e), "database");
    must(db_begin(h->db, &e), "begin");
    must(folder_office(&h->folder, &h->office, h->db, &e), "office");
    bool district = h->office.tier == TIER_DISTRICT;
    read_key(h, district ? "keys/ca.key" : "keys/site.key", &h->ca_key);
    read_key(h, district ? "keys/ca.crt" : "keys/site.crt", &h->ca_cert);
    pki_new_key(&h->key);
    must(pki_request(buf_text(&h->key), h->office.site, &h->csr, &e), "request");
}

static void hub_close(struct hub *h)
{
    must(db_commit(h->db, &e), "commit");
    office_close(&h->office);
    db_close(h->db);
    buf_free(&h->ca_key);
    buf_free(&h->ca_cert);
    buf_free(&h->key);
    buf_free(&h->csr);
}

static void now_and_then(struct hub *h, int i)
{
    if (i % COMMIT_EVERY == COMMIT_EVERY - 1) {
        must(db_commit(h->db, &e), "commit");
        must(db_begin(h->db, &e), "begin");
    }
}

/* Below a street its communities; below a district those of as many streets as it needs. */
static void code_of(const struct hub *h, int i, char out[13])
{
    if (h->office.tier == TIER_STREET)
        snprintf(out, 13, "%.9s%03d", h->office.site, 1 + i % 999);
    else
        snprintf(out, 13, "%.6s%03d%03d", h->office.site, 1 + i / COMMUNITIES_PER_STREET % 999,
                 1 + i % COMMUNITIES_PER_STREET);
}

/* cases 0: a link and a key, no more. */
static void enrol(struct hub *h, const char *code, const unsigned char seed[32], int cases)
{
    unsigned char pub[32];
    char hex[65];

    crypto_public(seed, pub);
    hex_encode(pub, 32, hex);
    if (cases) {
        must(office_enrol(&h->office, h->db, code, "社区", hex, cases + 1, &e), "enrol");
    } else {
        must(link_add(h->db, code, "child", h->office.host, &e), "link");
        must(ledger_key_set(h->db, code, pub, &e), "key");
    }
}

/* It has heard everything so far. */
static void heard(struct hub *h, struct fleet_node *n)
{
    struct link_state l;

    must(link_read(h->db, n->code, &l, &e), "link");
    must(link_acked(h->db, n->code, l.head_pos, host_wall_ms(h->office.host), &e), "link");
    memcpy(n->hub_stream, l.stream, 16);
    n->hub_pos = l.head_pos;
}

static void certificate(struct hub *h, const char *code, struct buf *out)
{
    char san[200];
    struct pki_issue in = {.ca_key = buf_text(&h->ca_key),
                           .ca_cert = buf_text(&h->ca_cert),
                           .csr = buf_text(&h->csr),
                           .cn = code,
                           .san = san,
                           .days = 30};

    snprintf(san, sizeof san, "DNS:localhost,IP:127.0.0.1,URI:urn:doorstep:site:%s", code);
    must(pki_issue(&in, out, &e), "certificate");
    buf_append(out, h->ca_cert.data, h->ca_cert.len); /* up to the authority */
}

/* ---- a node's office --------------------------------------------------------------------------*/

/* The facts of the hub that `where` selects, as they come down a link. */
static void tell(struct hub *h, struct office *o, struct db *db, const char *where, const char *arg)
{
    char sql[300];
    struct arena *a = arena_create();
    struct arrival list[1000];
    struct buf b = {0};
    size_t n = 0;
    bool row;

    snprintf(sql, sizeof sql, "SELECT " LEDGER_COLUMNS("") " FROM event WHERE %s ORDER BY hlc",
             where);
    struct stmt *st = db_stmt(h->db, sql);
    if (arg)
        bind_text(st, 1, arg);
    while (db_step(st, &row, &e) == OK && row && n < 1000) {
        struct event ev = ledger_row(st, 0);
        buf_reset(&b);
        event_encode(&ev, &b);
        struct reader r = {.p = b.data, .left = b.len};
        list[n] = (struct arrival){.got = RECEIVED_NEW};
        must(event_decode(&r, a, &list[n++].ev, NULL, &e), "fact");
    }
    db_reset(st);
    must(ledger_receive(&o->ledger, db, o->parent, list, n, a, &e), "facts");
    buf_free(&b);
    arena_destroy(a);
}

static void node_office(struct hub *h, struct db *db, const char *code,
                        const unsigned char seed[32], struct office *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->host = host_system();
    ret->work = &all_work;
    snprintf(ret->site, sizeof ret->site, "%s", code);
    snprintf(ret->parent, sizeof ret->parent, "%s", h->office.site);
    snprintf(ret->name, sizeof ret->name, "社区");
    memcpy(ret->seed, seed, 32);
    snprintf(ret->boot, sizeof ret->boot, "fleet");
    must(office_open(ret, db, &e), "a node's office");
}

static void act(struct office *o, struct db *db, const struct caller *c, const char *no,
                const char *action)
{
    struct json *in = json_object(), *out = NULL;

    json_set_text(in, "case_no", no);
    json_set_text(in, "action", action);
    must(case_act(o, db, c, in, &out, &p), action);
    json_free(in);
    json_free(out);
}

/* File and complete; the events into out: u32 length, bytes. Undone when it is over: the next node
 * begins afresh. */
static uint32_t work(struct hub *h, struct db *db, struct fleet_node *n, int i, int cases,
                     struct buf *out)
{
    static const char *const items[] = {"elderly-card", "residence-registration"};
    struct caller agent = {.user = "agent",
                           .name = "代办员",
                           .role = "agent",
                           .site = n->code,
                           .channel = "window",
                           .query_code = ""};
    struct office o;
    uint32_t count = 0;
    bool row;

    must(db_begin(db, &e), "begin");
    node_office(h, db, n->code, n->seed, &o);
    must(link_add(db, o.parent, "parent", o.host, &e), "link");
    tell(h, &o, db,
         "kind IN ('block.leased/1', 'site.enrolled/1') AND dossier = '' AND record LIKE '%' || $1 "
         "|| '%'",
         n->code);
    must(lease_link_closed(&o, db, &e), "link");
    for (int k = 0; k < cases; k++) {
        struct json *in = filing_make(db, items[k % 2], i * cases + k, "agent", NULL, 0),
                    *done = NULL;
        char no[22];
        must(case_lodge(&o, db, &agent, in, &done, &p), "file");
        snprintf(no, sizeof no, "%s", json_get_text(done, "case_no"));
        json_free(in);
        json_free(done);
        act(&o, db, &agent, no, "complete");
    }
    struct stmt *st =
        db_stmt(db, "SELECT " LEDGER_COLUMNS("") ", hash "
                                                 "FROM event WHERE origin = $1 ORDER BY seq");
    struct buf b = {0};
    bind_text(st, 1, o.ledger.origin);
    while (db_step(st, &row, &e) == OK && row) {
        struct event ev = ledger_row(st, 0);
        size_t len;
        const void *hash = col_blob(st, LEDGER_COLUMN_COUNT, &len);
        memcpy(n->hash, hash, 32);
        buf_reset(&b);
        event_encode(&ev, &b);
        buf_u32(out, (uint32_t)b.len);
        buf_append(out, b.data, b.len);
        count++;
    }
    buf_free(&b);
    office_close(&o);
    (void)db_rollback(db, NULL);
    return count;
}

static struct db *node_db(struct hub *h, const char *path)
{
    struct office o;
    struct db *db;

    unlink(path);
    must(db_open(path, DB_WRITE, &db, &e), "a node's database");
    must(migrate(db, schema_migrations, schema_migration_count, &e), "migrate");
    must(db_begin(db, &e), "begin");
    node_office(h, db, "331002001001", h->office.seed, &o);
    tell(h, &o, db, "kind IN ('item.published/1', 'calendar.published/1') AND dossier = ''", NULL);
    office_close(&o);
    must(db_commit(db, &e), "commit");
    return db;
}

/* ---- the file ---------------------------------------------------------------------------------*/

static void put(FILE *f, const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, f) != n) {
        perror("fleet: write");
        exit(1);
    }
}

static void write_node(FILE *f, const struct fleet_node *n, const struct buf *cert, uint32_t count,
                       const struct buf *events)
{
    struct buf b = {0};

    buf_append(&b, n->code, 12);
    buf_append(&b, n->seed, 32);
    buf_append(&b, n->stream, 16);
    buf_append(&b, n->hub_stream, 16);
    buf_u64(&b, n->hub_pos);
    buf_append(&b, n->hash, 32);
    buf_u32(&b, (uint32_t)cert->len);
    buf_append(&b, cert->data, cert->len);
    buf_u32(&b, count);
    put(f, b.data, b.len);
    if (count)
        put(f, events->data, events->len);
    buf_free(&b);
}

void fleet_prepare(const char *dir, const char *path, int count, int cases)
{
    struct fleet_node *nodes = mem_alloc(sizeof *nodes * (size_t)count);
    char scratch[1200];
    struct db *db = NULL;
    struct hub h;

    hub_open(&h, dir);
    if (count > (h.office.tier == TIER_STREET ? 999 : 999 * COMMUNITIES_PER_STREET)) {
        fprintf(stderr, "bench_fleet: so many communities has no such hub\n");
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        code_of(&h, i, nodes[i].code);
        crypto_random(nodes[i].seed, 32);
        crypto_random(nodes[i].stream, 16);
        enrol(&h, nodes[i].code, nodes[i].seed, cases);
        now_and_then(&h, i);
    }
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        exit(1);
    }
    struct buf b = {0}, cert = {0}, events = {0};
    buf_u32(&b, (uint32_t)count);
    buf_u32(&b, (uint32_t)h.key.len);
    buf_append(&b, h.key.data, h.key.len);
    put(f, b.data, b.len);
    snprintf(scratch, sizeof scratch, "%s.node", path);
    if (cases)
        db = node_db(&h, scratch);
    for (int i = 0; i < count; i++) {
        buf_reset(&cert);
        buf_reset(&events);
        heard(&h, &nodes[i]);
        certificate(&h, nodes[i].code, &cert);
        uint32_t made = cases ? work(&h, db, &nodes[i], i, cases, &events) : 0;
        write_node(f, &nodes[i], &cert, made, &events);
        now_and_then(&h, i);
    }
    if (fclose(f)) {
        perror(path);
        exit(1);
    }
    db_close(db);
    unlink(scratch);
    hub_close(&h);
    buf_free(&b);
    buf_free(&cert);
    buf_free(&events);
    mem_free(nodes);
}

static void read_node(struct reader *r, struct fleet_node *n)
{
    const unsigned char *code = reader_bytes(r, 12), *seed = reader_bytes(r, 32),
                        *stream = reader_bytes(r, 16);
    const unsigned char *hub_stream = reader_bytes(r, 16);

    n->hub_pos = reader_u64(r);
    const unsigned char *hash = reader_bytes(r, 32);
    n->cert_len = reader_u32(r);
    n->cert = reader_bytes(r, n->cert_len);
    n->event_count = reader_u32(r);
    if (r->bad)
        return;
    memcpy(n->code, code, 12);
    memcpy(n->seed, seed, 32);
    memcpy(n->stream, stream, 16);
    memcpy(n->hub_stream, hub_stream, 16);
    memcpy(n->hash, hash, 32);
    n->events = mem_alloc(sizeof *n->events * (n->event_count + 1));
    for (size_t i = 0; i < n->event_count; i++) {
        n->events[i].len = reader_u32(r);
        n->events[i].bytes = reader_bytes(r, n->events[i].len);
    }
}

void fleet_load(const char *path, struct fleet *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;

    if (fd < 0 || fstat(fd, &s)) {
        perror(path);
        exit(1);
    }
    void *all = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    struct reader r = {.p = all, .left = all == MAP_FAILED ? 0 : (size_t)s.st_size};
    ret->count = reader_u32(&r);
    ret->key_len = reader_u32(&r);
    ret->key = reader_bytes(&r, ret->key_len);
    ret->nodes = mem_alloc(sizeof *ret->nodes * (ret->count + 1));
    for (size_t i = 0; i < ret->count && !r.bad; i++)
        read_node(&r, &ret->nodes[i]);
    if (r.bad || r.left) {
        fprintf(stderr, "bench_fleet: %s is not a fleet\n", path);
        exit(1);
    }
}

/* ---- afterwards -------------------------------------------------------------------------------*/

static long long number(struct db *db, const char *sql)
{
    struct stmt *st = db_stmt(db, sql);
    long long n = -1;
    bool row;

    must(db_step(st, &row, &e), sql);
    if (row)
        n = col_int(st, 0);
    db_reset(st);
    return n;
}

void fleet_check(const char *dir)
{
    char path[1200];
    struct db *db;

    folder_path(dir, "doorstep.db", path, sizeof path);
    must(db_open(path, DB_READ, &db, &e), "database");
    printf("{\"events\":%lld,\"aside\":%lld,\"cases\":%lld,\"certificates\":%lld,\"repairs\":%lld,"
           "\"signed\":%lld}\n",
           number(db, "SELECT count(*) FROM event WHERE dossier <> ''"),
           number(db, "SELECT count(*) FROM event WHERE state <> 'applied'"),
           number(db, "SELECT count(*) FROM case_file"),
           number(db, "SELECT count(*) FROM certificate"),
           number(db, "SELECT count(*) FROM repair"),
           number(db, "SELECT count(*) FROM origin WHERE signed_seq > 0 AND signed_seq = seq"));
    db_close(db);
}
