// `make sim-mutants`: can the checkers fail? The production code is built with one deliberate fault at a time,
// and the simulator must catch each within 2,000 seeds. A fault that no longer fits the source is an error.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const B = process.env.B || 'build'
const SEEDS = Number(process.env.SEEDS || 2000)
const JOBS = Number(process.env.JOBS || 2)
const wrap = (process.env.WRAP || '').split(' ').filter(Boolean)
const only = process.argv.slice(2)

// [name, file, what stands there once, what stands there then, and perhaps a second pair]
const mutants = [
  ['acknowledges-before-durable', 'shared/sync/link.c', '    memcpy(x->stream, l->peer_stream, 16);\n}',
    '    memcpy(x->stream, l->peer_stream, 16);\n    struct frame ack = {.kind = FRAME_ACK, .pos = f->pos};\n    link_send(t, &ack);\n}'],
  ['commits-without-sync', 'shared/db/log_vfs.c', 'log_of(f)->below->xSync(f, flags)', 'SQLITE_OK'],
  ['forgets-deduplication', 'shared/ledger/receive.c', 'if (ev->seq <= c->seq) {', 'if (ev->seq <= c->seq && !ev->seq) {'],
  ['skips-an-outbox-row', 'shared/ledger/outbox.c', '"WHERE o.peer = $1 AND o.pos > $2 ORDER BY', '"WHERE o.peer = $1 AND o.pos > $2 AND o.pos % 11 <> 5 ORDER BY'],
  ['stores-behind-a-failed-batch', 'shared/ledger/link_rows.c', '    if (held.recv_pos != prev_pos || pos <= prev_pos) {', '    if (pos <= prev_pos) {'],
  ['ignores-its-lease', 'shared/office/lease.c', '    return err == OK && !*ret ? never_sent(db, d, ret, e) : err;',
    '    if (err == OK && !*ret)\n        err = never_sent(db, d, ret, e);\n    *ret = err == OK;\n    return err;'],
  ['takes-back-too-early', 'shared/office/lease.c', '*ret = err == OK && clock_now(o) > until;', '*ret = err == OK && clock_now(o) > until - o->lease_length_ms;'],
  ['believes-that-nothing-was-sent', 'shared/office/lease.c', 'return meta_write(db, "maybe_sent", "all", e);', 'return db && e ? OK : OK;'],
  ['reuses-a-number', 'shared/office/blocks.c', 'bind_int(st, 5, m->n + 1);', 'bind_int(st, 5, m->n % 5 == 3 ? m->n : m->n + 1);'],
  ['leases-a-block-twice', 'shared/office/blocks.c', 'first = col_int(st, 0) + 1;', 'first = 0;'],
  ['gives-out-forgotten-numbers', 'shared/site/link_end_recall.c', '*ret_hlc = row || past ?', '*ret_hlc = past && !row ?'],
  ['applies-before-storing', 'shared/ledger/ledger.c', '(err = make(l, s, &m, &x, e)) == OK)',
    '(err = make(l, s, &m, &x, e)) == OK && (!l->apply || (err = l->apply(l->arg, db, &x, 1, false, a, e)) == OK))',
    'if (err == OK && l->apply)', 'if (err == OK && !l)'],
  ['resumes-at-the-wrong-byte', 'shared/site/link_end.c', '    ret->finished = err == OK && ret->offset == fx->total;', '    ret->offset += fx->total - ret->offset > 7 ? 7 : 0;\n    ret->finished = err == OK && ret->offset == fx->total;'],
  ['drops-an-event-set-aside', 'shared/office/verdict.c', '"UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2"',
    '"DELETE FROM event WHERE origin = $1 AND seq = $2 AND $3 = \'aside\' AND ($3 <> state OR $4 <> \'\')"'],
  ['sends-no-history-with-custody', 'shared/office/route.c', 'size_t newcomers = whole ? peers.count : 0;', 'size_t newcomers = 0;'],
  ['two-custodians-may-decide', 'shared/office/fold.c', '                   ? NULL\n                   : "not the custodian of the case";', '                   ? NULL\n                   : NULL;'],
  ['says-a-paper-is-here-too-soon', 'shared/office/papers.c', 'n->wanted ? "wanted" : "remote"', 'n->wanted ? "here" : "remote"'],
  ['forgets-to-chain', 'shared/ledger/receive.c', 'c->moved = true;', 'c->moved = ev->seq % 9 != 0;'],
  ['gives-back-all-but-the-last', 'shared/site/link_end_recall.c', 'err == OK && at <= head; at++)', 'err == OK && at < head; at++)'],
  ['keeps-what-an-old-key-signed', 'shared/ledger/witness.c', 's.public_key <> $2)', 's.public_key = $2 AND s.seq < 0)'],
  ['blames-its-peer-for-its-own-disk', 'shared/sync/link_papers.c', '        at->resumed) {', '        at->resumed && !at->on) {'],
  ['counts-a-waybill-under-the-wrong-street', 'shared/office/blocks.c', 'division_street(m->holder, street); /*',
    'if (!strcmp(m->kind, "waybill") && !strcmp(m->holder + 6, "000000")) COPY_TEXT(street, "331002003000"); else division_street(m->holder, street); /*'],
  ['checks-no-later-epoch', 'shared/ledger/witness.c', 'ON s.origin = substr(o.origin, 1, 12) "\n                                  "LEFT JOIN event v ON v.origin = o.origin AND v.seq = $2 "',
    'ON s.origin = o.origin LEFT JOIN event v ON v.origin = o.origin AND v.seq = $2 "'],
  ['knows-no-keys-of-nodes', 'shared/office/sites.c', '               ? ledger_key_set(db, site, key, e)\n               : OK;', '               ? OK\n               : OK;'],
  ['signs-nothing-that-came-back', 'shared/site/link_end.c', '(v.up_pos <= l.acked_pos OR v.from_peer = l.peer)', 'v.up_pos <= l.acked_pos'],
  ['overlooks-another-name', 'shared/sync/link.c', 'if (!l->c.parent_side && !l->recalling && memcmp', 'if (!l->c.parent_side && !l->recalling && l->recalling && memcmp'],
  ['keeps-the-name-of-its-outbox', 'shared/ledger/link_rows.c', 'SET stream = $2, acked_pos = 0 WHERE peer = $1"', 'SET stream = $2, acked_pos = 0 WHERE peer = $1 AND stream = $2"'],
  ['speaks-every-version', 'shared/sync/link.c', '    if (l->version)\n        return true;', '    if (l->version || (l->version = l->c.newest))\n        return true;'],
  ['speaks-the-newer-version', 'shared/sync/wire.c', 'newest < peer_newest ? newest : peer_newest', 'newest > peer_newest ? newest : peer_newest'],
  ['folds-in-order-of-arrival', 'shared/office/load.c', '"WHERE dossier = $1 ORDER BY hlc, origin, seq"', '"WHERE dossier = $1 ORDER BY rowid"',
    'shared/office/fold.c', '    qsort(d->order, (size_t)d->count, sizeof *d->order, in_order);\n', '    (void)in_order;\n'],
  ['folds-moves-by-clock', 'shared/office/fold.c', '            return x->moved = true;\n', '            x->moved = true;\n'],
  ['takes-back-what-waits', 'shared/dossiers/case/actions.c', 'return standing == SITE_LOST ? NULL : waits;', 'return standing == SITE_LOST || waits ? NULL : waits;'],
  ['overruled-stays-valid', 'shared/dossiers/case/rows.c', 's->overruled[i].by, s->overruled[i].issued_ms, "overruled", e);', 's->overruled[i].by, s->overruled[i].issued_ms, "valid", e);'],
  ['decides-beside-an-unknown', 'shared/office/fold.c', '            d->read_only = true;', '            d->read_only = false;'],
  ['applies-without-authority', 'shared/office/fold.c', 'why = x->kind ? authority_refuses(&x->ev, x->kind->may, place) : authority_misplaced(&x->ev);', 'why = x->kind ? NULL : authority_misplaced(&x->ev);',
    'shared/office/apply.c', 'k ? authority_refuses(ev, k->may, place) : authority_misplaced(ev);', 'k ? NULL : authority_misplaced(ev);'],
  ['believes-facts-of-anybody', 'shared/office/apply.c', 'k ? authority_refuses(ev, k->may, place) : authority_misplaced(ev);', 'k ? NULL : authority_misplaced(ev);'],
  ['believes-a-part-less-site', 'shared/office/fold.c', 'return dossier_has_part(d, x->site) ? NULL : "a site that has no part in it";', 'return NULL;'],
  ['sends-down-what-was-denied', 'shared/office/apply.c', 'dossier_event_counts(x) || x->verdict == VERDICT_ASIDE;', 'dossier_event_counts(x) || x->verdict == VERDICT_ASIDE || x->verdict == VERDICT_DENIED;'],
  ['sends-down-what-was-denied-with-the-rest', 'shared/ledger/outbox.c', '"state NOT IN (\'refused\', \'denied\') ORDER BY hlc, origin, seq"', '"state <> \'refused\' ORDER BY hlc, origin, seq"'],
  ['routes-by-moves-that-do-not-stand', 'shared/dossiers/case/rows.c', '        add_word(held, sizeof held, d->custody.at[i]);\n', '        add_word(held, sizeof held, d->custody.at[i]);\n    for (int i = 0; i < d->count; i++)\n        if (d->events[i].kind && (d->events[i].kind->flags & KIND_MOVES))\n            add_word(held, sizeof held, text_or(json_get_text(d->events[i].record, "to"), ""));\n'],
  ['punishes-the-unknown', 'shared/office/verdict.c', 'return v == VERDICT_DENIED || v == VERDICT_REFUSED ||', 'return v == VERDICT_DENIED || v == VERDICT_REFUSED || v == VERDICT_UNKNOWN ||'],
  ['forgets-the-unknown-after-an-upgrade', 'shared/office/rebuild.c', '            err = read_dossiers(o, db, w->types[t]->kinds[i].kind, &left, e);', '            err = left < 0 ? read_dossiers(o, db, w->types[t]->kinds[i].kind, &left, e) : OK;'],
  ['overrules-honest-numbers', 'shared/office/blocks.c', 'if (err != OK || own || (err = meta_read_u64', 'if (err != OK || (own && m->n % 7) || (err = meta_read_u64'],
  ['decides-before-the-district-holds', 'shared/dossiers/case/actions.c', '*ret = (uint64_t)col_int(st, 0) <= up.acked_pos;', '*ret = up.acked_pos < UINT64_MAX;'],
  ['withdraws-without-custody', 'shared/dossiers/case/actions.c', '    if (text_is(custody_holder(&d->d->custody), d->o->site))\n        return say(d, "case.withdrawn/1"', '    if (d->d->custody.no)\n        return say(d, "case.withdrawn/1"',
    'shared/dossiers/case/fold.c', '{"case.withdrawn/1", "已撤回", "Withdrawn", MAY_CUSTODIAN,', '{"case.withdrawn/1", "已撤回", "Withdrawn", MAY_PART,'],
  ['follows-every-clock', 'shared/ledger/receive.c', 'if (ahead > HLC_AHEAD_MS_MAX && ', 'if (ahead > HLC_AHEAD_MS_MAX * 1000000 && '],
  ['folds-from-personal', 'shared/dossiers/case/fold.c', '#define UNDER " custody_no "', '#define UNDER " custody "',
    'shared/office/fold.c', 'x->custody_no = json_get_int(x->record, "custody_no", 0);', 'x->custody_no = json_get_int(json_get(x->record, "custody_no") ? x->record : x->personal, "custody_no", 0);'],
  ['opens-twice', 'shared/office/fold.c', '            judge(x, VERDICT_ASIDE, "the dossier is opened already");', '            (void)x;'],
  ['forgets-that-it-was-overruled', 'shared/office/apply.c', '    if (err == OK && j->o->ledger.hlc_last != before)\n        err = look_again(j->o, j->db, n, a, e);\n', ''],
  ['tells-no-author', 'shared/office/route.c', 'err == OK ? route_unopened(r, n, e) : err', 'err'],
]

const dir = resolve(B, 'mutants')
mkdirSync(dir, { recursive: true })
const cc = args => execFileSync('gcc', ['-D_GNU_SOURCE', '-Ishared', `-I${B}/gen`, '-std=c11', '-O2', '-w', ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
const flags = execFileSync('pkg-config', ['--libs', 'libwebsockets', 'sqlite3', 'zlib', 'openssl', 'jansson'], { encoding: 'utf8' }).trim().split(/\s+/)

// The world is the same for all of them.
const world = readdirSync('tests/sim/world').filter(f => f.endsWith('.c')).map(f => {
  const object = join(dir, f.replace('.c', '.o'))
  cc(['-Itests/sim/world', '-c', `tests/sim/world/${f}`, '-o', object])
  return object
})

// The sources with the fault in them, by their paths; null: a text does not stand there exactly once.
function spoilt([file, ...pairs]) {
  const sources = new Map()
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i].startsWith('shared/')) file = pairs[i--]
    else {
      const source = sources.get(file) ?? readFileSync(file, 'utf8')
      if (source.split(pairs[i]).length !== 2) {
        console.log(`STALE   ${file} does not hold exactly once: ${pairs[i]}`)
        return null
      }
      sources.set(file, source.replace(pairs[i], () => pairs[i + 1]))
    }
    if (!sources.has(file)) sources.set(file, readFileSync(file, 'utf8'))
  }
  return sources
}

let caught = 0
let missed = 0
for (const [name, ...fault] of mutants) {
  if (only.length && !only.includes(name)) continue
  const tree = join(dir, name)
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  const sources = spoilt(fault)
  if (!sources) {
    console.log(`STALE   ${name}`)
    missed++
    continue
  }
  // A changed object stands before the library, so that its like in there is not asked for.
  const objects = []
  for (const [file, source] of sources) {
    const changed = join(tree, file.replaceAll('/', '-')), object = changed.replace('.c', '.o')
    writeFileSync(changed, source)
    cc([`-I${file.split('/').slice(0, -1).join('/')}`, '-c', changed, '-o', object])
    objects.push(object)
  }
  cc([...world, ...objects, join(B, 'libdoorstep.a'), ...flags, '-lpthread', '-lm', ...wrap, '-o', join(tree, 'sim')])
  const t = Date.now()
  const r = spawnSync(join(tree, 'sim'), ['--seeds', `1..${SEEDS}`, '--first', '--jobs', String(JOBS)], { encoding: 'utf8', timeout: 900000 })
  const line = (r.stdout || '').split('\n').find(l => l.startsWith('BROKEN'))
  if (r.status !== 0 && line) {
    caught++
    console.log(`caught  ${name} (${((Date.now() - t) / 1000).toFixed(1)} s): ${line.slice(0, 150)}`)
  } else {
    missed++
    console.log(`MISSED  ${name}: ${r.status === 0 ? `${SEEDS} seeds passed` : `it did not run: ${(r.stderr || '').slice(-300)}`}`)
  }
  rmSync(tree, { recursive: true, force: true })
}
console.log(`${caught} passed, ${missed} failed`)
process.exit(missed ? 1 : 0)
