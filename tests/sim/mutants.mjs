// `make sim-mutants`: can the checkers fail? The production code is built with one deliberate fault at a time,
// and the simulator must catch each within 2,000 seeds. A fault that no longer fits the source is an error.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const B = process.env.B || 'build'
const SEEDS = Number(process.env.SEEDS || 2000)
const only = process.argv.slice(2)

const mutants = [
  ['acknowledges-before-durable', 'shared/sync/link.c', '    memcpy(x->stream, l->peer_stream, 16);\n}',
    '    memcpy(x->stream, l->peer_stream, 16);\n    struct frame ack = {.kind = FRAME_ACK, .pos = f->pos};\n    send(t, &ack);\n}'],
  ['commits-without-sync', 'shared/db/db.c', 'PRAGMA synchronous=FULL;', 'PRAGMA synchronous=OFF;'],
  ['forgets-deduplication', 'shared/ledger/ledger.c', '    if (there) {\n', '    if (there && ev->seq == 0) {\n'],
  ['skips-an-outbox-row', 'shared/ledger/outbox.c', '"WHERE o.peer = $1 AND o.pos > $2 ORDER BY', '"WHERE o.peer = $1 AND o.pos > $2 AND o.pos % 11 <> 5 ORDER BY'],
  ['stores-behind-a-failed-batch', 'shared/ledger/outbox.c', '    if (held.recv_pos != prev_pos || pos <= prev_pos) {', '    if (pos <= prev_pos) {'],
  ['ignores-its-lease', 'shared/casework/lease.c', 'return lease_held(o, db) || never_sent(o, db, case_no);', 'return lease_held(o, db) || case_no[0];'],
  ['takes-back-too-early', 'shared/casework/lease.c', 'over = !row || clock_now(o) >', 'over = !row || clock_now(o) + col_int(st, 1) >'],
  ['believes-that-nothing-was-sent', 'shared/casework/lease.c', 'return meta_write(db, "maybe_sent", "all", e);', 'return db && e ? OK : OK;'],
  ['reuses-a-number', 'shared/casework/number.c', '    bind_int(st, 5, n + 1);\n    return db_run(st, e);', '    bind_int(st, 5, n % 5 == 3 ? n : n + 1);\n    return db_run(st, e);'],
  ['applies-before-storing', 'shared/ledger/ledger.c',
    '    if ((err = store_event(db, &ev, hash, NULL, e)) != OK || (err = set_head(db, &ev, hash, e)) != OK ||\n        (l->apply && (err = l->apply(l->arg, db, &ev, true, e)) != OK) ||',
    '    if ((l->apply && (err = l->apply(l->arg, db, &ev, false, e)) != OK && err != ERR_NOT_FOUND) ||\n        (err = store_event(db, &ev, hash, NULL, e)) != OK || (err = set_head(db, &ev, hash, e)) != OK ||'],
  ['resumes-at-the-wrong-byte', 'shared/site/exchange.c', '    ret->finished = err == OK && ret->offset == fx->total;', '    ret->offset += fx->total - ret->offset > 7 ? 7 : 0;\n    ret->finished = err == OK && ret->offset == fx->total;'],
  ['drops-an-event-set-aside', 'shared/casework/apply.c', '"UPDATE event SET state = $3, reason = $4 WHERE origin = $1 AND seq = $2 "\n                                  "AND (state <> $3 OR coalesce(reason, \'\') <> coalesce($4, \'\'))"',
    '"DELETE FROM event WHERE origin = $1 AND seq = $2 AND $3 = \'aside\' AND ($3 <> state OR $4 <> \'\')"'],
  ['sends-no-history-with-custody', 'shared/casework/route.c', 'err = moves ? ledger_enqueue_case(&o->ledger, db, peer, ev->case_no, e) : emit(ctx, peer);', 'err = moves && ev->hlc == 1 ? OK : emit(ctx, peer);'],
  ['folds-in-order-of-arrival', 'shared/casework/apply.c', 'WHERE case_no = $1 ORDER BY hlc, origin, seq', 'WHERE case_no = $1 ORDER BY rowid'],
  ['two-custodians-may-decide', 'shared/casework/fold.c', 'if (json_get_int(b, "custody_no", 0) != s->custody_no || !is(site, s->custodian))', 'if (!is(site, s->custodian) && !site[0])'],
  ['says-a-paper-is-here-too-soon', 'shared/casework/filing.c', 'bind_text(st, 6, papers_wanted(o, s) ? "wanted" : "remote");', 'bind_text(st, 6, papers_wanted(o, s) ? "here" : "remote");'],
  ['forgets-to-chain', 'shared/ledger/ledger.c', '(chained && (err = set_head(db, ev, hash, e)) != OK)', '(chained && ev->seq % 9 && (err = set_head(db, ev, hash, e)) != OK)'],
]

const dir = resolve(B, 'mutants')
mkdirSync(dir, { recursive: true })
let caught = 0
let missed = 0
for (const [name, file, from, to] of mutants) {
  if (only.length && !only.includes(name)) continue
  const tree = join(dir, name)
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  const source = readFileSync(file, 'utf8')
  if (source.split(from).length !== 2) {
    console.log(`STALE   ${name}: ${file} does not hold its text exactly once`)
    missed++
    continue
  }
  const changed = join(tree, file.split('/').pop())
  writeFileSync(changed, source.replace(from, () => to))
  cpSync(join(B, 'libdoorstep.a'), join(tree, 'lib.a'))
  const cc = args => execFileSync('gcc', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const libs = ['libwebsockets', 'sqlite3', 'zlib', 'openssl', 'jansson']
  const flags = execFileSync('pkg-config', ['--libs', ...libs], { encoding: 'utf8' }).trim().split(/\s+/)
  const object = join(tree, file.split('/').pop().replace('.c', '.o'))
  cc(['-D_GNU_SOURCE', '-Ishared', `-I${B}/gen`, '-std=c11', '-O2', '-w', '-c', changed, '-o', object])
  execFileSync('ar', ['r', join(tree, 'lib.a'), object], { stdio: 'ignore' })
  const world = ['world', 'disk', 'net', 'work', 'faults', 'check'].map(f => `tests/sim/world/${f}.c`)
  cc(['-D_GNU_SOURCE', '-Ishared', `-I${B}/gen`, '-Itests/sim/world', '-std=c11', '-O2', '-w', ...world, join(tree, 'lib.a'), ...flags, '-lpthread', '-lm', '-o', join(tree, 'sim')])
  const t = Date.now()
  const r = spawnSync(join(tree, 'sim'), ['--seeds', `1..${SEEDS}`, '--first'], { encoding: 'utf8', timeout: 900000 })
  const line = (r.stdout || '').split('\n').find(l => l.startsWith('BROKEN')) || (r.stderr || '').trim().split('\n').pop()
  if (r.status !== 0 && line) {
    caught++
    console.log(`caught  ${name} (${((Date.now() - t) / 1000).toFixed(1)} s): ${line.slice(0, 150)}`)
  } else {
    missed++
    console.log(`MISSED  ${name}: ${SEEDS} seeds passed`)
  }
  rmSync(tree, { recursive: true, force: true })
}
console.log(`${caught} passed, ${missed} failed`)
process.exit(missed ? 1 : 0)
