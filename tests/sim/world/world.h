/* One district, two streets, six nodes on one thread: the production code of ledger, casework, sync
 * and site/link_end on a fake clock, network and disk. Everything random comes from the seed. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/arena.h"
#include "catalogue/items.h"
#include "dossiers/all.h"
#include "dossiers/case/case.h"
#include "office/enrol.h"
#include "office/lease.h"
#include "office/office.h"
#include "office/rebuild.h"
#include "ledger/blob.h"
#include "site/link_end.h"
#include "sync/link.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SITES 9
#define TICK_MS 5000
/* Shorter than a dead line takes to be noticed: a lease ends while its link seems to stand. */
#define LEASE_MS (40 * 1000)
#define MARGIN_MS (4 * 1000)

struct site;
struct conn;
struct sim_type;

/* A store job: runs in one transaction, is answered later; a crash in between forgets it. */
struct job {
    struct job *next;
    struct site *s;
    int life;          /* of the site when it was queued */
    struct conn *conn; /* and of the connection, or NULL */
    int gen, end;
    struct link_end x; /* of that end: the job may outlive the connection */
    bool write;
    enum err (*run)(struct job *j, struct db *db, struct errmsg *e);
    void (*done)(struct job *j);
    enum err err;
    struct errmsg msg;
    struct arena *arena;
    struct link_effect fx;
    struct link_input in;
    struct buf bytes;
    struct sync_event *events;
    struct link_end_batch batch;
    bool here;
    int day; /* by the wall clock of its site, when it ran */
    int64_t wall_ms;
    /* office work */
    const struct sim_type *type;
    office_fn *fn;
    struct caller caller;
    struct json *arg, *out;
    struct problem problem;
    void (*committed)(struct job *j); /* as soon as the commit is through, before anybody is told */
};

struct site {
    int no;
    char code[13];
    struct host host;
    struct office office;
    unsigned char seed[32];
    struct db *db;
    struct blob_dir *blobs;
    bool up;
    int life; /* counts starts */
    int64_t wall_offset_ms, mono_base_ms, mono_started_ms;
    int64_t wall_max_ms; /* the latest that its wall clock has ever shown */
    int drift_ppm;
    int64_t lease_ms;
    struct job *queue, **queue_end;
    bool busy;
    char acked_origin[25];
    uint64_t acked_seq; /* highest own event that somebody was told of */
    int64_t backoff_ms;
    struct {
        char origin[25];
        uint64_t seq;
        unsigned char signature[64];
    } shown[64]; /* heads shown on this connection */
    int shown_count;
    void *backup, *backup_files; /* an old copy of the disk, or NULL */
    bool untold;   /* ... and it did not know: until it finds out it may give numbers out again */
    bool restored; /* in this world: what was acknowledged before may be gone with the disk */
    bool absent;   /* its disk is gone: it is being installed anew */
    bool lost;     /* its street has declared it lost, and not enrolled it again */
    bool was_lost; /* ... some time in this world */
    int slow_ms;   /* its disk is slow: jobs wait up to so long */
    const struct office_work *program; /* what its program knows */
    bool caught_up;                    /* its program has read all that the one before could not */
    struct speaks {
        unsigned oldest, newest;
    } speaks; /* the versions of the protocol that its program knows */
};

struct frame_in_flight {
    struct frame_in_flight *next;
    int64_t at;
    size_t len;
    unsigned char bytes[];
};

/* The link of a child (site no) to its parent. End 0 is the child's. */
struct conn {
    int child, parent;
    bool open, cut; /* cut: cannot be opened now */
    int gen;
    bool half_open[2];      /* what this end sends is lost */
    int64_t delay_ms, rate; /* bytes per second */
    struct conn_end {
        struct link_end x;
        struct link *link;
        struct arena *turn;
        bool ready;
        uint64_t head_pos;
        struct frame_in_flight *in, **in_end; /* towards this end */
        int64_t last_at;
        unsigned char refused[64][32];
        int refused_count;
        struct link_end_recall_state recall;
        bool recalling;
    } end[2];
};

extern struct site site[SITES];
extern struct conn conns[SITES]; /* by child; 0 unused */
extern int64_t now;
extern bool healing;
extern const char *broken; /* the promise that was broken, or NULL */

/* fate.c */
uint64_t dice(uint64_t below);
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void breach(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void later(int64_t ms, void (*fn)(int a, int b), int a, int b);
void fate_seed(uint64_t seed);
void fate_run(int64_t end); /* all that happens until then, or until a promise is broken */
void fate_reset(void);
void fate_trace_all(void); /* each line of the trace goes out at once */
void fate_tell(void);      /* else: the last of them */

/* jobs.c */
struct job *job_new(struct site *s, bool write);
void job_queue(struct job *j);
void job_drop_all(struct site *s);
bool in_read(struct site *s, enum err (*fn)(struct site *s, void *arg, struct errmsg *e),
             void *arg);

/* site.c */
int parent_of(int no);
void site_reset(int no);
void site_up(int no);
/* power: what was not synced is at risk; else only the process ends. */
void site_crash(int no, bool power);
void site_fails(struct site *s, const char *why); /* its program ends by itself */
/* Another program; it starts anew. */
void site_speak(int no, unsigned oldest, unsigned newest);
void site_end(int no, bool kept); /* the world is over; kept: its disks go on */
void site_other_machine(struct site *s);
void site_db_path(int no, char out[40]);
enum err site_open_office(struct site *s, struct errmsg *e);

/* site_anew.c */
void site_make(int no, bool child);
enum err site_enrol(int no, struct errmsg *e); /* at its parent */
/* The site comes back from its old copy; told: as `restore` does it, else as one who copies
 * files. */
void site_restore(int no, bool told);
void site_backup(int no);
/* Another machine, an empty disk, the same code: it enrols again. */
void site_reinstall(int no);
/* Its street declares it lost: its disk is gone, or seems to be; long after it is installed anew. */
void site_lose(int no);

/* world.c */
void world_make(void);
bool world_run(uint64_t seed); /* false: broken */
void world_close(void);
/* While the world is made nothing may fail. */
void world_must(enum err err, const char *what, const struct errmsg *e, const struct problem *p);

/* net.c */
void net_reset(void);
void net_dial(int child, int unused);
void net_close(struct conn *c, const char *why);
void net_cut(struct conn *c, const char *why); /* some of what is on its way still arrives */
void net_site_down(int no);

/* net_tick.c */
void net_tick(int no);
void net_local(struct site *s); /* its store has something new */

/* plans.c: how many statements of the product walk through a table that grows; each is printed
 * once */
int plans_check(void);

/* work.c */
void work_reset(void);
void work_some(int no, int unused);
struct caller work_caller(int no);

/* work_filing.c */
void work_prepare(void); /* once, in the finished world */

/* work_acting.c */
void work_after_loss(int community, int unused); /* what it had in hand its street wants back */
void work_both(int community, int unused);       /* its street and it want the same case */

/* faults.c */
void faults_plan(int64_t from, int64_t until);
void faults_heal(void);

/* program.c */
void program_reset(void);
void program_all_older(void);
/* Before the sites are up: who has which. False: all have the newest, and always had. */
bool program_plan(int64_t until);
void program_starts(int no, int life); /* catch up, then say what it knows */
void program_heal(void);               /* the last upgrades */
bool program_knows(const struct site *s, const char *type, const char *kind); /* kind: or NULL */

/* rogue.c: a site that says what it likes; -1: none */
extern int rogue;
void rogue_reset(void);
void rogue_plan(int64_t until);
bool rogue_ground(const char *code); /* the rogue itself, or a site below it */
bool rogue_ground_no(int no);

/* check_rogue.c */
void check_rogue_reset(void);
void check_heard(struct job *j, int day); /* a batch was stored, on that day by the clock there */
bool check_rogue_shut(void);              /* its parent listens to it no more today */
bool check_rogue_opened(struct site *s, const char *dossier); /* also one that does not stand */
void check_authority(struct site *s);                         /* of every event that counts there */
void check_rogue(void);

/* work.c: the kinds of work, as the product has them in tables; a row in its type_*.c. */
struct sim_type {
    const char *name; /* of its struct dossier_type */
    unsigned share;   /* of a hundred things that people do */
    void (*reset)(void);
    void (*work)(struct site *s);         /* somebody does something, often in vain */
    void (*committed)(struct job *j);     /* a command of it is durable: before anybody is told */
    void (*told)(struct job *j);          /* somebody was told */
    void (*check_end)(void);              /* what it promises of a world that has come to rest */
    void (*check_people)(struct site *s); /* can people still work there? Nothing is kept */
};
extern const struct sim_type sim_case, sim_ticket;
extern const struct sim_type *const sim_types[];
extern const size_t sim_type_count;

/* check.c */
void check_reset(void);
void check_reopened(struct site *s);
void check_number(const char *kind, const char *number);
/* After each commit of a person's command on a case; before: the site's own head then. */
void check_custody(struct site *s, const char *case_no, const char *action, uint64_t before);
/* A disk is about to go, or has gone: what only it held is not looked for any more. */
void check_disk_goes(int no);
void check_disk_gone(int no);
void check_clock(struct site *s); /* it follows another's by five minutes at most */
int64_t check_count(struct site *s, const char *sql); /* the one number of its answer */
void check_papers(struct site *s);                    /* has it the bytes of all it says it has? */
bool check_paper_there(int no, const char *hex);      /* on that disk */
bool check_is_lost(const char *digest);               /* with a disk, and nobody else held it */

/* tables.c: every row that is folded, and what became of every event; but: not of that site's events, nor
 * the repair items about them, nor its own numbers. */
void tables_read(struct site *s, const char *but, struct buf *out);
void tables_read_one(struct site *s, const struct projection *p, struct buf *out);
bool tables_differ(struct buf *a, struct buf *b, char out[240]); /* where first */

/* check_end.c */
const char *check_waits(void); /* what keeps it from being quiet, or NULL */
bool check_quiet(void);        /* are all outboxes empty and all papers where they belong? */
void check_end(void);

/* numbers.c: every number of the district's ledger is explained by a lease */
void check_numbers(void);
/* What stands in an event's body, without the parser of the code under test; -1, false: not
 * there. */
int64_t int_of(const char *body, const char *key);
bool text_of(const char *body, const char *key, char *out, size_t cap);

#endif
