/* Who decides, and what stands in the end: for spin. A case at a street S, its community C, and above them the
 * district D. The street hands the case down, takes it back, decides; so does the community; disks die.
 *
 * Custody k is the street's when k is odd and the community's when it is even. A step is said under a custody number,
 * and by that number alone it is ordered: no clock stands in what follows, so a clock may show anything.
 *
 * What each site holds is a set of events; a line passes one event at a time, in an order that keeps causes first, or
 * passes nothing at all. The lease is two flags: the street's promise is over only when the community neither holds a
 * lease nor can get one out of an answer on its way. That this is so with clocks is shown by custody.pml ("over").
 *
 * A name in capitals that begins with NOT_ is a fault, switched on by run.sh: each must be found.
 */
#ifndef LAST
#define LAST 5 /* the highest custody number; odd */
#endif
#define C 0
#define S 1
#define D 2

/* Decisions, in the order of their custody numbers; the street's may be said by its first or its second life. */
#define S1A 1
#define S1B 2
#define C2 4
#define S3A 8
#define S3B 16
#define C4 32
#define S5A 64
#define S5B 128
#define DECISIONS (255 | UNHELD)
#define BY_C (C2 | C4)
#define BY_S (S1A | S1B | S3A | S3B | S5A | S5B)
/* Moves: M2, M4 handed down, M3, M5 taken back, R3, R5 given back by the community. */
#define M2 256
#define M3 512
#define R3 1024
#define M4 2048
#define M5 4096
#define R5 8192
/* A withdrawal that somebody asked for. Done, it is a decision of the custodian like any other. */
#define ASKED 16384
#define UNHELD 32768 /* a withdrawal without custody: only in a fault */

int k[3];      /* what C, S, D hold */
int stands[3]; /* what verify calls valid there */
int repair[3]; /* the overruled decisions that a repair item names there */

bool waits;          /* the item: take_back wait, else overrule */
bool later;          /* of two decisions under one number, by two lives of the street, which one a clock prefers */
bool life = 0;       /* of the street */
bool disk_died = 0;  /* one disk dies at most: S's or C's */
bool unheard = 0;    /* the street was restored and has not yet heard all that C holds */
bool promise = 0;    /* the street's promise is not over */
bool answer = 0;     /* a promise on its way to C, made when the street stood at answer_no */
byte answer_no = 0;
bool lease = 0;      /* C's, good once C stands at lease_no */
byte lease_no = 0;
bool lost = 0;       /* C was declared lost, and not enrolled anew */
bool ever_lost = 0;
bool quiet = 0;      /* nothing goes wrong any more, everybody does what he may */
bool dead = 0;       /* ... but C's line never comes back */
byte s_decided = 0;  /* highest number under which a life of the street decided, whatever became of its disk */
int e, n, v;

/* ---- the fold: a function of the set ---------------------------------------------------------------------------*/

/* Moves form a chain: a site stands at the number that they lead to without a gap. */
#define NO(x) (!((x) & M2) -> 1 : (!((x) & (M3 | R3)) -> 2 : (!((x) & M4) -> 3 : (!((x) & (M5 | R5)) -> 4 : 5))))
#define UP_TO(no) ((no) == 1 -> 3 : ((no) == 2 -> 7 : ((no) == 3 -> 31 : ((no) == 4 -> 63 : 255))))
#ifdef NOT_BY_NUMBER /* folds-moves-by-clock: a decision of C whose clock is fast sorts behind the next move */
#define RIGHT(x) ((x) & UP_TO(NO(x)) & ~(NO(x) > 2 && later -> C2 : 0))
#elif defined(NOT_CUSTODIAN)
#define RIGHT(x) ((x) & (UP_TO(NO(x)) | UNHELD))
#else
#define RIGHT(x) ((x) & UP_TO(NO(x)))
#endif
#define OPEN(x) (RIGHT(x) == 0)
#define ONE(x, a, b) (((x) & (a)) && (!((x) & (b)) || !later) -> (a) : (x) & (b))
#define HIGHEST(x) ((x) >= UNHELD -> UNHELD : ((x) >= S5A -> ONE(x, S5A, S5B) : ((x) >= C4 -> C4 : \
                   ((x) >= S3A -> ONE(x, S3A, S3B) : ((x) >= C2 -> C2 : ONE(x, S1A, S1B))))))

inline fold(site) {
    v = RIGHT(k[site]);
#ifdef NOT_REVOKED /* overruled-stays-valid: what was valid once is not looked at again */
    stands[site] = stands[site] | HIGHEST(v);
#else
    stands[site] = HIGHEST(v);
#endif
    repair[site] = v & ~HIGHEST(v)
}

inline hears(site, what) {
    k[site] = k[site] | (what);
    fold(site)
}

/* ---- who may ---------------------------------------------------------------------------------------------------*/

#define LINKED (!lost && !dead)

/* A restored street decides and moves nothing before it has heard C. Time ends that only where the item says overrule;
 * else an operator's word does. */
#ifdef NOT_HEARING
#define FREE 1
#elif defined(NOT_HEARD_BUT_LATE)
#define FREE (!unheard || !promise)
#else
#define FREE (!unheard || (!promise && (!waits || lost)))
#endif

/* The district holds the take-back; a case that C gave back itself needs no witness. */
#ifdef NOT_HELD_ABOVE
#define WITNESSED 1
#else
#define WITNESSED (NO(k[S]) == 1 || \
                   (NO(k[S]) == 3 && ((k[S] & R3) || (k[D] & M3))) || (NO(k[S]) == 5 && ((k[S] & R5) || (k[D] & M5))))
#endif

#ifdef NOT_WAITING
#define MAY_TAKE_BACK (!promise)
#else
#define MAY_TAKE_BACK (!promise && (!waits || lost))
#endif

#ifdef NOT_UP_TO_POSITION
#define LEASED lease
#else
#define LEASED (lease && NO(k[C]) >= lease_no)
#endif

#define S_MAY_DECIDE (NO(k[S]) % 2 == 1 && OPEN(k[S]) && FREE && WITNESSED)
#define C_MAY_DECIDE (NO(k[C]) % 2 == 0 && OPEN(k[C]) && LEASED)

/* ---- lines -----------------------------------------------------------------------------------------------------*/

/* What can come next at a site that stands at no: causes come first. */
#define NEXT(no) (ASKED | UNHELD | UP_TO(no) | M2 | ((no) >= 2 -> M3 | R3 : 0) | ((no) >= 3 -> M4 : 0) | \
                  ((no) >= 4 -> M5 | R5 : 0))
#define NEWS(from, to) (k[from] & ~k[to] & NEXT(NO(k[to])))
#ifdef NOT_GIVEN_BACK /* a child gives back what the hub said when it moved a case, but not what it decided */
#define NEWS_UP (NEWS(C, S) & ~BY_S)
#else
#define NEWS_UP NEWS(C, S)
#endif

#ifdef NOT_TOLD /* what a street decides is no concern of him who held the case before */
#define NEWS_DOWN (NEWS(S, C) & ~BY_S)
#else
#define NEWS_DOWN NEWS(S, C)
#endif

inline pass(to, news) {
    n = news;
    e = 1;
    do
    :: n & e -> break
    :: n >= 2 * e -> e = 2 * e
    od;
    hears(to, e)
}

/* ---- what is promised ------------------------------------------------------------------------------------------*/

/* Each is set just before it is asserted, so that spin prints its name; they are no part of the state. */
hidden byte one_is_valid, the_highest_is_valid, the_others_are_named, one_may_decide, one_decision_is_out;
hidden byte none_after_a_later_custody, none_against_what_is_known, all_agree_above, all_agree_below, somebody_decided;

#define MORE_THAN_ONE(x) ((x) & ((x) - 1))
#define ALL (k[C] | k[S] | k[D]) /* what some disk holds */
#define ABOVE(x) ((x) >= S5A -> 0 : ((x) >= C4 -> S5A | S5B : ((x) >= S3A -> C4 | S5A | S5B : \
                 ((x) >= C2 -> DECISIONS & ~(S1A | S1B | C2) : ((x) -> DECISIONS & ~(S1A | S1B) : DECISIONS)))))

inline promised_at(site) {
    v = k[site] & (UP_TO(NO(k[site])) | UNHELD); /* every decision that the site knows, with its cause */
    one_is_valid = !MORE_THAN_ONE(stands[site]);
    assert(one_is_valid);
    the_highest_is_valid = !(v & ABOVE(stands[site]));
    assert(the_highest_is_valid);
    the_others_are_named = (stands[site] | repair[site]) == v && !(stands[site] & repair[site]);
    assert(the_others_are_named)
}

inline promised() {
#ifdef NEVER /* a scene that must be found: else the model would show less than it seems to */
    assert(!(NEVER))
#else
    promised_at(C);
    promised_at(S);
    promised_at(D);
    one_may_decide = !(S_MAY_DECIDE && C_MAY_DECIDE);
    assert(one_may_decide);
    one_decision_is_out = !waits || ever_lost || !MORE_THAN_ONE(ALL & DECISIONS);
    assert(one_decision_is_out)
#endif
}

inline promised_in_the_end() {
    all_agree_above = k[S] == k[D] && stands[S] == stands[D] && repair[S] == repair[D];
    assert(all_agree_above);
    all_agree_below = !LINKED || (k[C] == k[S] && stands[C] == stands[S] && repair[C] == repair[S]);
    assert(all_agree_below);
    somebody_decided = (ALL & DECISIONS) || (waits && dead && !lost);
    assert(somebody_decided)
}

/* ---- what happens ----------------------------------------------------------------------------------------------*/

inline c_says() {
    n = NO(k[C]);
    none_after_a_later_custody = s_decided < n; /* whatever became of that disk */
    assert(none_after_a_later_custody);
    none_against_what_is_known = !(k[C] & DECISIONS);
    assert(none_against_what_is_known);
    hears(C, (n == 2 -> C2 : C4))
}

inline s_says() {
    n = NO(k[S]);
    none_against_what_is_known = !(k[S] & DECISIONS);
    assert(none_against_what_is_known);
    if :: life -> later = 1 :: skip fi;
    hears(S, ((n == 1 -> S1A : (n == 3 -> S3A : S5A)) << life));
    s_decided = (n > s_decided -> n : s_decided)
}

init {
    atomic {
        if :: waits = 1 :: waits = 0 fi
#ifdef NOT_BY_NUMBER
        if :: later = 1 :: later = 0 fi
#endif
    }
    do
    :: atomic {
        if
        /* Work. */
        :: !quiet && NO(k[S]) % 2 == 1 && NO(k[S]) < LAST && OPEN(k[S]) && !unheard ->
               hears(S, (NO(k[S]) == 1 -> M2 : M4))
        :: NO(k[S]) % 2 == 0 && OPEN(k[S]) && MAY_TAKE_BACK -> hears(S, (NO(k[S]) == 2 -> M3 : M5))
        :: !quiet && C_MAY_DECIDE -> hears(C, (NO(k[C]) == 2 -> R3 : R5))
        :: C_MAY_DECIDE -> c_says()
        :: S_MAY_DECIDE -> s_says()
#ifndef NOBODY_ASKS
        :: !quiet && !(ALL & ASKED) -> if :: hears(S, ASKED) :: hears(C, ASKED) fi
#endif
#ifdef NOT_CUSTODIAN
        :: NO(k[S]) % 2 == 0 && OPEN(k[S]) && (k[S] & ASKED) -> hears(S, UNHELD)
#endif
        /* Lines. */
        :: LINKED && NEWS_UP -> pass(S, NEWS_UP)
        :: LINKED && NEWS_DOWN -> pass(C, NEWS_DOWN)
        :: NEWS(S, D) -> pass(D, NEWS(S, D))
        :: LINKED && unheard && !NEWS_UP -> unheard = 0
        /* The lease. */
        :: LINKED && !unheard && !answer && !(quiet && lease && lease_no == NO(k[S])) ->
               promise = 1; answer = 1; answer_no = NO(k[S])
        :: answer -> lease = 1; lease_no = answer_no; answer = 0; answer_no = 0
        :: answer && !(quiet && LINKED) -> answer = 0; answer_no = 0
        :: lease && !(quiet && LINKED) -> lease = 0; lease_no = 0
        :: promise && !lease && !answer && !(quiet && LINKED) -> promise = 0
        /* Disks and operators. */
        :: !quiet && !disk_died -> /* the street's: it knows what the district holds */
               disk_died = 1; life = 1; k[S] = k[D]; stands[S] = 0; fold(S); unheard = 1;
#ifdef NOT_PROMISED_ANEW
               promise = 0;
#else
               promise = 1;
#endif
               if :: lost = 0 :: skip fi /* the word of the operator may be forgotten too */
        :: !quiet && !lost -> lost = 1; ever_lost = 1
        :: !quiet && lost -> lost = 0 /* enrolled anew */
        :: !quiet && lost && !disk_died -> /* ... with a new disk */
               disk_died = 1; lost = 0; lease = 0; lease_no = 0; answer = 0; answer_no = 0;
               k[C] = k[S]; stands[C] = 0; fold(C)
        :: !quiet -> quiet = 1; if :: dead = 1 :: dead = 0 fi
        :: else -> goto rest
        fi;
        promised();
        e = 0; n = 0; v = 0
      }
    od;
rest:
    atomic { promised_in_the_end() }
}
