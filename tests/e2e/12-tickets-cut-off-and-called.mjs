// A community that is cut off takes numbers for the hall; the hall calls them once the link is back, each at one window, and
// everybody who may hear of it does. Missed calls, a page loaded anew, a press too many, midnight.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, PATIENT, SITES, build, run, until } from '../../scripts/demo/world.mjs'

const WebSocket = createRequire(resolve('shared/web/package.json'))('ws')
const B = process.env.B || 'build'
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-tickets-'))
let w, agent, other, clerk, five, six, resident, live
const taken = [] // at the community, while it was cut off

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  await signIn()
  resident = new Client(w.street.url)
}, PATIENT)
after(async () => {
  live?.ws.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function signIn() {
  ;[agent, other, clerk] = [new Client(w.east.url), new Client(w.west.url), new Client(w.street.url)]
  await agent.signIn('agent.east', PASSWORD)
  await other.signIn('agent.west', PASSWORD)
  await clerk.signIn('clerk', PASSWORD)
  ;[five, six] = [new Client(w.street.url, clerk.token), new Client(w.street.url, clerk.token)]
}

/** The live socket of a signed-in person: what it has said so far. */
function listen(client) {
  const ws = new WebSocket(client.url.replace('http', 'ws') + '/api/v1/live', 'doorstep.live.v1')
  const said = []
  ws.on('open', () => ws.send(JSON.stringify({ token: client.token })))
  ws.on('message', m => said.push(JSON.parse(m.toString())))
  return { ws, said, heard: id => said.some(m => m.kind === 'changed' && m.type === 'ticket' && m.id === id) }
}
const refused = (what, status, code) => assert.rejects(what, e => { assert.deepEqual([e.status, e.body?.code], [status, code], e.message); return true })
const act = (client, t, action, more = {}) => client.post(`/tickets/${t.id}/actions`, { action, ...more })
const next = (client, window, queue = 'A') => client.post(`/queues/${queue}/next`, { window })

test('cut off, a community takes numbers from those that it was lent', PATIENT, async () => {
  w.links.east.down()
  for (let i = 0; i < 3; i++) taken.push(await agent.post('/tickets', { queue: 'A', item: 'birth-registration-first' }))
  assert.deepEqual(taken.map(t => t.no), ['A001', 'A002', 'A003'])
  for (const t of taken) {
    assert.match(t.id, /^q331002003\d{6}A00\d$/)
    assert.deepEqual([t.state, t.hall, t.ahead], ['coming', SITES.street.site, null])
    assert.match(t.code, /^[0-9A-Z]{6}$/)
  }
  await refused(agent.post('/queues/A/next', { window: '1' }), 403, 'role-not-allowed')
  await refused(act(agent, taken[0], 'call', { window: '1' }), 403, 'role-not-allowed')
  await refused(agent.post('/tickets', { queue: 'queue' }), 422, 'queue-unknown')
  await refused(agent.post('/tickets', { queue: 'A', class: 'vip' }), 422, 'class-unknown')
  await refused(agent.post('/tickets', { queue: 'A', item: 'no-such-item' }), 422, 'item-unknown')
})

test('a machine that prints twice has taken one number', async () => {
  const key = { 'Idempotency-Key': 'kiosk-1' }
  const [a, b] = [await resident.post('/tickets', { queue: 'A' }, key), await resident.post('/tickets', { queue: 'A' }, key)]
  assert.deepEqual(a, b)
  assert.equal(a.no, 'A500') // the hall counts the upper half
  assert.equal((await resident.get('/queues/A')).waiting, 1)
  taken.push(a)
})

test('the link is back: the hall gives each a place, and who may see it hears of it', PATIENT, async () => {
  live = listen(clerk)
  const elsewhere = listen(other)
  await until('the hello', () => live.said.some(m => m.kind === 'hello') && elsewhere.said.some(m => m.kind === 'hello'))
  w.links.east.up()
  await until('all four wait', async () => (await resident.get('/queues/A')).waiting === 4)
  const list = (await clerk.get('/tickets?queue=A&state=waiting')).tickets
  assert.deepEqual(list.map(t => t.no), ['A500', 'A001', 'A002', 'A003']) // in the order in which they came to the hall
  await until('the live socket', () => taken.slice(0, 3).every(t => live.heard(t.id)))
  await until('the community hears of its places', async () => (await agent.get('/tickets/' + taken[2].id)).state === 'waiting')
  assert.deepEqual((await agent.get('/tickets')).tickets.map(t => t.no), ['A001', 'A002', 'A003'])
  assert.deepEqual((await other.get('/tickets')).tickets, [])
  await refused(other.get('/tickets/' + taken[0].id), 404, 'no-ticket')
  elsewhere.ws.close()
  assert.ok(!elsewhere.said.some(m => m.type === 'ticket'))
  const one = (await clerk.get('/tickets?queue=A&limit=1'))
  assert.deepEqual((await clerk.get(`/tickets?queue=A&limit=3&cursor=${one.next}`)).tickets.map(t => t.no), ['A001', 'A002', 'A003'])
})

test('a resident follows with the code on his ticket, and nobody else', async () => {
  const mine = await resident.get(`/tickets/${taken[1].id}?code=${taken[1].code}`)
  assert.deepEqual([mine.state, mine.ahead, mine.actions], ['waiting', 2, ['leave']])
  assert.ok(mine.timeline.every(l => !l.actor_name) && mine.timeline.length === 2)
  await refused(resident.get(`/tickets/${taken[1].id}?code=${taken[0].code}`), 404, 'no-ticket')
  await refused(resident.get(`/tickets/${taken[1].id}`), 404, 'no-ticket')
  await refused(resident.get('/tickets'), 401, 'sign-in-needed')
  assert.ok(!JSON.stringify(await resident.get('/queues/A')).includes(taken[0].id))
})

test('two windows call at once: each gets one number, and no window two', async () => {
  const got = await Promise.all([next(five, '5'), next(six, '6')])
  assert.deepEqual(got.map(t => t.no).sort(), ['A001', 'A500'])
  assert.deepEqual(got.map(t => [t.state, t.window]), [['called', '5'], ['called', '6']])
  // The button pressed again, or the page loaded anew: the number in hand is named, none is lost.
  const e = await next(five, '5').catch(x => x)
  assert.deepEqual([e.status, e.body.code, e.body.found, e.body.allowed], [409, 'window-busy', got[0].no, [got[0].id]])
  await act(five, got[0], 'serve')
  assert.deepEqual((await clerk.get('/tickets?queue=A&state=serving')).tickets.map(t => [t.no, t.window]), [[got[0].no, '5']])
  const shown = (await resident.get('/queues/A')).at_windows
  assert.deepEqual(shown.map(t => [t.no, t.state, t.window]).sort(), [[got[0].no, 'serving', '5'], [got[1].no, 'called', '6']].sort())
  await refused(act(five, got[0], 'pass'), 409, 'state-does-not-allow')
  assert.equal((await act(five, got[0], 'finish')).state, 'finished')
  await refused(act(five, got[0], 'finish'), 409, 'state-does-not-allow')
  await act(six, got[1], 'serve')
  await act(six, got[1], 'finish')
  for (const t of got) assert.ok(await until('heard', () => live.heard(t.id)))
})

test('a missed call: the page says when and where, and it is called again', async () => {
  const t = await next(five, '5')
  assert.equal(t.no, 'A002')
  assert.equal((await act(five, t, 'recall')).calls, 2)
  assert.equal((await act(five, t, 'pass')).state, 'passed')
  const page = await resident.get(`/tickets/${t.id}?code=${taken[1].code}`)
  assert.deepEqual([page.state, page.window], ['passed', '5'])
  assert.ok(Math.abs(Date.parse(page.called_at) - Date.now()) < 60000)
  assert.equal((await act(five, t, 'recall')).calls, 3)
  // He was at the copier: behind one who waits.
  await resident.post('/tickets', { queue: 'A' })
  assert.equal((await act(five, t, 'put_back', { behind: 1 })).ahead, 1)
  assert.deepEqual((await clerk.get('/tickets?queue=A&state=waiting')).tickets.map(x => x.no), ['A003', 'A002', 'A501'])
  await refused(act(five, t, 'put_back', { behind: 1 }), 409, 'state-does-not-allow')
  await until('the community hears', async () => (await agent.get('/tickets/' + t.id)).timeline.at(-1).kind === 'ticket.put_back')
})

test('sent to another window and back, with its place', async () => {
  const t = await next(five, '5')
  assert.equal(t.no, 'A003')
  await act(five, t, 'serve')
  await refused(act(five, t, 'transfer', {}), 422, 'transfer-target')
  await act(five, t, 'transfer', { queue: 'B', to_window: '9', keeps_place: true, return_to_me: true })
  assert.equal((await next(five, '5')).no, 'A002') // five is free, and goes on
  await refused(next(six, '6', 'B'), 409, 'nobody-waits') // it is for window 9
  const there = await next(six, '9', 'B')
  assert.deepEqual([there.no, there.queue], ['A003', 'B'])
  await act(six, there, 'serve')
  const back = await act(six, there, 'finish')
  assert.deepEqual([back.state, back.queue, back.for_window], ['waiting', 'A', '5'])
  assert.equal((await next(six, '6')).no, 'A501') // for window 5 only
  await act(five, taken[1], 'serve')
  await act(five, taken[1], 'finish')
  const again = await next(five, '5')
  assert.equal(again.no, 'A003')
  await act(five, again, 'serve')
  assert.equal((await act(five, again, 'finish')).state, 'finished')
})

test('who leaves by his page, is gone; an estimate is made of what was seen', async () => {
  const t = await resident.post('/tickets', { queue: 'A' })
  assert.deepEqual(Object.keys(t.estimate_minutes).sort(), ['from', 'to'])
  assert.equal((await resident.post(`/tickets/${t.id}/actions?code=${t.code}`, { action: 'leave' })).state, 'left')
  await refused(resident.post(`/tickets/${t.id}/actions?code=${t.code}`, { action: 'call' }), 403, 'role-not-allowed')
  await refused(act(clerk, t, 'call', { window: '7' }), 409, 'state-does-not-allow')
  assert.equal((await resident.get('/queues/A')).waiting, 0)
})

test('a code is not found by trying', async () => {
  const t = await resident.post('/tickets', { queue: 'G' })
  const end = await until('the end of tries', async () => {
    const e = await resident.get(`/tickets/${t.id}?code=ZZZZZZ`).catch(x => x)
    assert.ok([404, 429].includes(e.status), e.message)
    return e.status === 429 && e
  }, 60000, 1)
  assert.match(end.body.code, /^too-many/)
  await refused(resident.get(`/tickets/${t.id}?code=${t.code}`), 429, end.body.code)
  assert.equal((await resident.get(`/tickets/${taken[2].id}?code=${taken[2].code}`)).no, 'A003') // others are not locked out
})

test('numbers that are used up: said in words, and there are more once the link is back', PATIENT, async () => {
  w.links.west.down()
  const lent = (await other.get('/blocks').catch(() => other.get('/status'))).blocks.find(b => b.kind === 'ticket')
  for (let i = lent.first; i <= lent.last; i++) await other.post('/tickets', { queue: 'C' })
  await refused(other.post('/tickets', { queue: 'C' }), 409, 'numbers-used-up')
  assert.equal((await other.post('/tickets', { queue: 'D' })).no, `D0${String(lent.first + 1).padStart(2, '0')}`) // each queue counts by itself
  w.links.west.up()
  await until('new numbers', () => other.post('/tickets', { queue: 'C' }))
})

test('past midnight who waits is called; in the morning nobody waits', PATIENT, async () => {
  const late = await resident.post('/tickets', { queue: 'M' })
  const morning = await resident.post('/tickets', { queue: 'M' })
  assert.deepEqual([late.no, morning.no], ['M500', 'M501'])
  const preload = { LD_PRELOAD: resolve(B, 'adversity.so'), ASAN_OPTIONS: 'verify_asan_link_order=0:detect_leaks=0' }
  const beijing = new Date(Date.now() + 8 * 3600000)
  const midnight = Date.UTC(beijing.getUTCFullYear(), beijing.getUTCMonth(), beijing.getUTCDate() + 1) - 8 * 3600000
  const at = async ms => {
    await w.street.stop()
    await w.street.start([], { ...preload, ADVERSITY_CLOCK: String(Math.round((ms - Date.now()) / 1000)) })
    await clerk.signIn('clerk', PASSWORD)
  }
  await at(midnight + 30 * 60000)
  const t = await next(clerk, '5', 'M')
  assert.equal(t.id, late.id)
  assert.equal((await act(clerk, t, 'serve')).state, 'serving')
  assert.equal((await resident.post('/tickets', { queue: 'M' })).no, 'M500') // a new day counts anew
  await at(midnight + 4.5 * 3600000)
  assert.equal((await act(clerk, t, 'finish')).state, 'finished') // whoever is served is served to the end
  const lapsed = await clerk.get('/tickets/' + morning.id)
  assert.deepEqual([lapsed.state, lapsed.ahead, lapsed.actions], ['lapsed', null, []])
  await refused(act(clerk, morning, 'call', { window: '5' }), 409, 'ticket-lapsed')
  assert.equal((await resident.get('/queues/M')).waiting, 1)
  await w.street.stop()
})

test('folded again it is all the same', PATIENT, async () => {
  await w.stop()
  for (const s of w.all) {
    const program = s === w.east || s === w.west ? NODE : HUB
    assert.match(run(program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/)
    run(program, ['rebuild', '--data', s.dir])
    assert.match(run(program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/)
  }
})
