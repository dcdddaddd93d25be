/* The lease and its clocks, for spin. One case, a street S that handed it to a community C.
 *
 * Time advances in ticks on the street's clock. The community's clock runs at up to 1 tick in 4 fast or slow
 * (far more than the 1 % that the code allows for), so its estimate of the street's time is multiplied as the
 * code does. What is to be shown, whatever the line does:
 *   safety    no tick at which both may decide; no decision of C after S has begun to hold the case again
 *   over      when the lease is over for S, it is over for C: all that decisions.pml takes from here
 *   liveness  when the line never comes back, S can take the case back in the end, where the item or an
 *             operator lets it (checked with fair time)
 */
#define L 4      /* length of the lease */
#define MARGIN 2 /* beyond it, before the street takes the case back: more than the drift can make */
#define DEAD 5   /* from then on the line is gone for good */
#define END 14

byte now = 0;       /* the street's lease clock */
byte child = 0;     /* the community's own clock */
byte promised = 0;  /* the street's last promise, durable before it was sent */
bool has_lease = false;
byte asked = 0, told = 0, limit = 0; /* of the answer that the community keeps */
bool on_line = false;  /* an answer on its way: */
byte line_asked, line_now, line_limit;

byte custody = 1;     /* what the street holds true: 1 the community, 2 itself */
bool taken = false;
bool c_decided = false, s_decided = false;
byte decided_at = 0, taken_at = 0;
byte slow = 0;        /* quarter ticks that the community's clock lags or leads, as a budget */

/* The community's estimate of the street's clock: never too early. */
#define ESTIMATE (told + (child - asked) + (child - asked) / 4 + 1)
#define LEASE_HELD (has_lease && ESTIMATE < limit)
#define LEASE_OVER (now > promised + L + MARGIN)

inline tick() {
    now++;
    if
    :: child++                                    /* in step */
    :: slow < 2 -> slow++                         /* the community's clock stands still for a tick */
    :: slow > 0 -> slow--; child = child + 2      /* and catches up */
    fi
}

active proctype world() {
    do
    :: now < END -> atomic { tick() }
    :: now >= END -> break
    od
}

/* lease_promise(): durable, then sent; lease_keep() at the other end. The line may lose anything. */
active proctype street() {
    do
    :: atomic { custody == 1 && !taken && !on_line && now < DEAD ->
             promised = now; on_line = true; line_asked = child; line_now = now; line_limit = now + L }
    :: atomic { custody == 1 && !taken && LEASE_OVER ->
             taken = true; custody = 2; taken_at = now }  /* action take_back */
    :: atomic { custody == 2 && !s_decided -> s_decided = true; break }
    :: now >= END && custody == 1 && c_decided -> break
    od
}

active proctype line() {
    do
    :: atomic { on_line -> on_line = false }                                                    /* lost */
    :: atomic { on_line ->
             asked = line_asked; told = line_now; limit = line_limit; has_lease = true; on_line = false }
    :: now >= END && !on_line -> break
    od
}

active proctype community() {
    do
    :: atomic { !c_decided && LEASE_HELD -> c_decided = true; decided_at = now;
                assert(!taken) }                       /* lease_covers() */
    :: now >= END -> break
    od
}

/* No tick at which both may decide. */
ltl exclusion { [] !(taken && LEASE_HELD && !c_decided) }
/* When it is over for the street it is over for the community, also by an answer that comes late. */
ltl over { [] (LEASE_OVER -> !LEASE_HELD) }
/* The lease keeps nobody waiting for ever: somebody has decided. */
ltl served { <> (c_decided || s_decided) }
