// What a hostile community could do to the desks of others by what it is entitled to say: numbers, texts and papers of its own
// ground that are none. The programs stand, the lists are read, the work of all others goes on.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { randomBytes, scryptSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD, PATIENT, SITES, run, until } from '../../scripts/demo/world.mjs'
import { FRAME, caseNumber } from './peer.mjs'
import { ROGUE, STREET9, certificate, personal, today, world } from './rogue.mjs'

const dir = mkdtempSync(join(tmpdir(), 'doorstep-rogue-'))
const HUGE = '9223372036854775807'
let w, rogue, n = 10

before(async () => {
  w = await world(dir)
  rogue = w.rogue
}, PATIENT)
after(async () => {
  rogue?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const held = kind => w.street.status().blocks.filter(b => b.holder === ROGUE && b.kind === kind).reduce((sum, b) => sum + b.last - b.first + 1, 0)
const lives = s => s.child.exitCode === null && s.child.signalCode === null
function stands() {
  for (const s of w.all) assert.ok(lives(s), `${s.name}: ${s.tail()}`)
  assert.equal(rogue.closed, null, JSON.stringify(rogue.bye ?? rogue.closed))
}
/** JSON text with members that no JavaScript number holds. */
const withTexts = (o, more) => JSON.stringify(o).slice(0, -1) + ',' + more + '}'

test('the case of another is neither taken nor read by saying its opening twice', PATIENT, async () => {
  const there = await w.file()
  const next = caseNumber(STREET9, today(), 1)
  const known = rogue.received.length
  for (const no of [there, next])
    for (let i = 0; i < 2; i++) rogue.file(no, {}, {}, { salt: Buffer.alloc(16, 1), hlc: 1n << 50n })
  await rogue.say()
  assert.equal((await w.clerk.get('/cases/' + there)).filed_at, SITES.east.site)
  assert.equal(await w.file(), next)
  await w.agent.post(`/cases/${next}/actions`, { action: 'accept' })
  await until('the step at the street', async () => (await w.clerk.get('/cases/' + next)).state === 'accepted')
  assert.ok(!rogue.received.slice(known).some(e => e.origin.startsWith(SITES.east.site)), 'what the other has said does not come to it')
  stands()
})

test('nobody else is kept from work by a step that nobody knows, nor reads it', PATIENT, async () => {
  const no = await w.file()
  for (const [kind, critical] of [['case.future/9', true], ['case.rated/1', true], ['case.suspended/1', true], ['case.future/9', false]])
    rogue.event(kind, no, { custody_no: 1, score: 1 }, { ...personal({ text: 'pay at x', reason: 'pay at x' }), critical })
  await rogue.say()
  await w.agent.post(`/cases/${no}/actions`, { action: 'transfer', reason: 'x' })
  await until('the case at the street', async () => (await w.clerk.get('/cases/' + no)).custody_no === 2)
  await w.clerk.post(`/cases/${no}/actions`, { action: 'accept' })
  await w.clerk.post(`/cases/${no}/actions`, { action: 'transfer', to: SITES.west.site, reason: 'x' })
  for (const c of [w.clerk, w.supervisor, w.agent]) assert.doesNotMatch(JSON.stringify(await c.get('/cases/' + no)), /pay at x/)
  stands()
})

test('its own case it may stop by a step that nobody knows', PATIENT, async () => {
  const no = rogue.number(n++)
  rogue.file(no)
  const e = rogue.event('case.future/9', no, {}, { critical: true })
  await rogue.say()
  assert.equal(rogue.verdict(w.street, e), 'unknown')
  assert.equal((await w.clerk.get('/cases/' + no)).read_only, true)
})

test('a result has a number of who issues it', PATIENT, async () => {
  const tried = ['1', 'SY2026331002004001001', certificate(5), rogue.certificate(7)].map(number => {
    const no = rogue.number(n++)
    rogue.file(no)
    return rogue.complete(no, number)
  })
  // Said before the case is there: it is looked at when it stands.
  const late = rogue.number(n++)
  const early = rogue.complete(late, certificate(6))
  await rogue.say()
  rogue.file(late)
  await rogue.say()
  assert.deepEqual([...tried, early].map(e => rogue.verdict(w.street, e)), ['denied', 'denied', 'aside', 'applied', 'aside'])
  for (const number of [certificate(5), certificate(6)])
    await assert.rejects(w.clerk.get('/certificates/' + number), e => e.status === 404)
  stands()
})

test('figures without measure break no list and no sum', PATIENT, async () => {
  for (let i = 0; i < 3; i++) {
    const no = rogue.number(n++)
    const record = { item: 'x', custodian: ROGUE, community: ROGUE, decided_at: [] }
    rogue.event('case.filed/1', no, null, { ...personal({}), record: withTexts(record, `"at":${i ? HUGE : '-' + HUGE},"baseline_trips":${HUGE},"promised_ms":${HUGE}`) })
    rogue.event('case.rated/1', no, null, { record: `{"score":${HUGE}}` })
    rogue.event('case.noted/1', no, null, { record: `{"at":-${HUGE}}` })
    const granted = rogue.number(n++)
    rogue.file(granted, {}, {}, { record: withTexts({ ...record, item: 'birth-registration-first', item_version: 1, decided_at: ['community'] }, `"baseline_trips":${HUGE}`) })
    rogue.complete(granted, rogue.certificate(20 + i))
  }
  await rogue.say()
  for (const c of [w.clerk, w.supervisor])
    for (const path of ['/statistics', '/statistics?by=community', '/statistics?by=day', '/cases?limit=200', '/repairs', '/deliveries']) await c.get(path)
  const { cases } = await w.supervisor.get('/cases?limit=200')
  assert.ok(cases.every(c => c.created_at.startsWith('20')))
  stands()
})

test('papers that are none are no papers', PATIENT, async () => {
  const digest = 'sha256:' + 'a'.repeat(64)
  const odd = [7, {}, [7], [{}], [{ code: 1 }], [{ code: 'id-card', documents: 'x' }], [{ code: 'id-card', documents: ['x', 1, null] }], [{ code: 'id-card', documents: [{ digest: '../../keys/seed' }] }]]
  for (const materials of odd) {
    const no = rogue.number(n++)
    rogue.file(no, {}, { materials })
    rogue.event('case.supplemented/1', no, { asked: 0 }, personal({ materials: [{ code: 'id-card', documents: [{ digest, size: 1 }] }] }))
    rogue.event('case.supplemented/1', no, { asked: 0 }, personal({ materials }))
    await rogue.say()
    for (const c of [w.clerk, w.supervisor]) await until('the case', () => c.get('/cases/' + no))
  }
  const many = rogue.number(n++)
  rogue.file(many)
  for (let k = 0; k < 6; k++)
    rogue.event('case.supplemented/1', many, { asked: 0 }, personal({ materials: [...Array(12000)].map((_, i) => ({ code: (k * 12000 + i).toString(36) })) }))
  const start = performance.now()
  await rogue.say()
  await w.clerk.get('/cases/' + many)
  assert.ok(performance.now() - start < 20000, 'work that grows with its square would take minutes')
  stands()
})

test('numbers come to it by use, and others keep theirs', PATIENT, async () => {
  const before = held('case')
  rogue.file(caseNumber(STREET9, today(), 99999))
  for (let i = 0; i < 10; i++) {
    rogue.event('case.noted/1', rogue.number(0), {})
    await rogue.say()
  }
  assert.equal(held('case'), before, 'who names a number that was never lent gets no others')
  for (let i = 0; i < 40; i++) {
    await rogue.busy // or it acknowledges on the next link what has come by this
    rogue.close()
    rogue.stream = randomBytes(16)
    await rogue.dial()
    rogue.send(FRAME.RECALL, Buffer.concat([Buffer.from([12]), Buffer.from(ROGUE)]), Buffer.from([0]), Buffer.alloc(32))
    await until('the answer', () => rogue.frames.some(f => f.kind === FRAME.RECALLED))
  }
  assert.ok(held('case') <= 25000, 'of what the street lends no more than the half is gone')
  await w.file()
  rogue.sent = 0
  await rogue.say() // under the new name of its outbox everything comes again
  stands()
})

test('its repairs hide those of nobody else', PATIENT, async () => {
  const no = await w.file()
  for (let i = 0; i < 1200; i++) rogue.event('case.rated/1', no, { score: 1 }, { hlc: BigInt(i + 1) << 16n })
  await rogue.say()
  const { repairs } = await w.clerk.get('/repairs')
  assert.ok(repairs.length < 200 && repairs.length >= 50, `${repairs.length} of one site`)
  stands()
})

test('a user name of another keeps him from nothing, and a role is none of its own choosing', PATIENT, async () => {
  const password = 'a password of its own'
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, { N: 16384, r: 8, p: 1, maxmem: 1 << 27 })
  const account = (username, role) => rogue.event('account.created/1', '', { site: ROGUE, username, role, rev: 9 }, personal({ name: 'x', salt: salt.toString('hex'), hash: hash.toString('hex') }))
  for (const name of ['clerk', 'supervisor', 'admin', 'courier', 'agent.east', 'agent.west']) account(name, 'agent')
  const given = ['admin', 'supervisor', 'courier', 'clerk', 'reviewer', 'dispatcher', 'agent admin', ''].map((role, i) => account(`own.${i}`, role))
  await rogue.say()
  for (const e of given) assert.equal(rogue.verdict(w.street, e), 'aside')
  for (const [site, name, home] of [[w.district, 'clerk', SITES.street], [w.district, 'supervisor', SITES.district], [w.street, 'agent.east', SITES.east], [w.district, 'agent.west', SITES.west], [w.east, 'agent.east', SITES.east]]) {
    const { user } = await new Client(site.url).post('/sessions', { username: name, password: PASSWORD })
    assert.equal(user.site, home.site, `${name} at ${site.name}`)
  }
  const own = new Client(w.street.url)
  const { token, user } = await own.post('/sessions', { username: 'clerk', password })
  own.token = token
  assert.deepEqual([user.site, user.role], [ROGUE, 'agent'])
  for (const path of ['/accounts', '/cases/' + await w.file()]) await assert.rejects(own.get(path), e => [403, 404].includes(e.status), path)
  await assert.rejects(new Client(w.street.url).post('/sessions', { username: 'own.0', password }), e => e.status === 401)
  stands()
})

test('what it says of its program is as long as it likes', PATIENT, async () => {
  rogue.event('site.equipped/1', '', { site: ROGUE, program: 'x'.repeat(50000), types: ' case '.repeat(9000), critical: 'y'.repeat(50000) })
  rogue.event('site.equipped/1', '', { site: ROGUE, program: 7, types: [], critical: {} })
  await rogue.say()
  for (const c of [w.clerk, w.supervisor]) await c.get('/status')
  stands()
})

test('a name that would write into the logs and lists of others ends the link', PATIENT, async () => {
  for (const [kind, id] of [['case.noted/1\nlevel=error area=office', rogue.number(1)], ['case.noted/1 reason="x"', rogue.number(1)], ['\u00e9/1', rogue.number(1)], ['case.noted/1', 'q331002003"']]) {
    const kept = { seq: rogue.seq, head: rogue.head, out: rogue.out.length }
    rogue.event(kind, id, {})
    await rogue.say()
    await rogue.busy
    assert.equal(rogue.bye?.code, 1, JSON.stringify(kind))
    Object.assign(rogue, { seq: kept.seq, head: kept.head, bye: null, sent: kept.out })
    rogue.out.length = kept.out
    await rogue.dial()
  }
  stands()
})

test('in the end every site holds what a fresh fold of its ledger gives', PATIENT, async () => {
  const no = await w.file()
  await w.agent.post(`/cases/${no}/actions`, { action: 'complete' })
  await until('the result at the district', async () => (await w.supervisor.get('/cases/' + no)).certificate?.number)
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})
