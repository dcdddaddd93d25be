/* Chains: of each origin that is held from its first event on, where it ends, what it has signed,
 * and whether all of it is as it was said. */
#ifndef LEDGER_CHAIN_H
#define LEDGER_CHAIN_H

#include "db/db.h"

#include <stdint.h>

/* The last event and its hash. seq 0 and zeros for an origin that is not held from its beginning.
 */
MUST_USE enum err ledger_head(struct db *db, const char *origin, uint64_t *ret_seq,
                              unsigned char hash[32], struct errmsg *e);
/* The hash of one event held here; seq 0: zeros. ERR_NOT_FOUND: it is not held, or not chained. */
MUST_USE enum err ledger_hash_at(struct db *db, const char *origin, uint64_t seq,
                                 unsigned char hash[32], struct errmsg *e);

/* A head as its origin signs it: Ed25519 over "doorstep.head.1" || origin || u64 seq || hash. */
void ledger_sign_head(const unsigned char seed[32], const char *origin, uint64_t seq,
                      const unsigned char hash[32], unsigned char sig[64]);
/* Check a signed head against the chain held here and remember it, if it is the newest. ERR_PEER:
 * wrong signature, or another hash at that seq (the origin's past was rewritten). The key of the
 * site is not known: OK, not remembered. */
MUST_USE enum err ledger_witness(struct db *db, const char *origin, uint64_t seq,
                                 const unsigned char hash[32], const unsigned char sig[64],
                                 struct errmsg *e);
/* The key of a site, in all its epochs. Another than before: what was signed with that is
 * forgotten. */
MUST_USE enum err ledger_key_set(struct db *db, const char *site, const unsigned char key[32],
                                 struct errmsg *e);

struct ledger_counts {
    int64_t chained;  /* events of complete chains, each checked */
    int64_t personal; /* events held here, chained or not, whose personal part is here */
    int64_t shells;   /* ... of whose personal part only the digest is here */
};

/**
 * ledger_verify(db, ret, e):
 * Walk every complete chain: gaps, hashes, heads, signatures of heads. A shell is checked by its
 * digest like any other event.
 *
 * Errors  ERR_CORRUPT: ${e} names the first fault. Others of the store.
 */
MUST_USE enum err ledger_verify(struct db *db, struct ledger_counts *ret, struct errmsg *e);

#endif
