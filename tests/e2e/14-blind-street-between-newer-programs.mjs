// A street whose program knows neither tickets nor suspended cases nor a calendar, between a newer community and a newer
// district: it keeps what it cannot read, passes it up, punishes nobody. Then the new program starts on its folder: it reads
// exactly that, and whoever must hear of it does, also a child that is enrolled only then.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, PATIENT, SITES, Site, build, run, runBeside, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { Peer } from './peer.mjs'

const B = process.env.B || 'build'
const BLIND = `${B}/blind/doorstep-hub`
const SITE = '331002003903', HALL = SITES.street.site
const TICKETS = 450 // more than two turns of 200
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-blind-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const day = new Date(Date.now() + 8 * 3600000).toISOString().slice(2, 10).replaceAll('-', '')
const ticket = i => `q331002003${day}${'ABC'[Math.floor(i / 150)]}${String(i % 150 + 1).padStart(3, '0')}`
let w, peer, agent, clerk, boss, suspended, later

before(async () => {
  const year = new Date().getFullYear(), calendars = [year, year + 1].map(y => join(dir, `${y}.json`))
  calendars.forEach((f, i) => writeFileSync(f, JSON.stringify({ year: year + i, days: [] })))
  w = await build(join(dir, 'w'), { programs: { street: BLIND }, nodes: ['east'], catalogue: [...files('schema/catalogue/items'), ...calendars] })
  await signIn()
  const invitation = run(BLIND, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区']).split('\n').pop()
  peer = await new Peer(dir, SITE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
}, PATIENT)
after(async () => {
  peer?.close()
  later?.link.close()
  await later?.stop()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function signIn() {
  ;[agent, clerk, boss] = [new Client(w.east.url), new Client(w.street.url), new Client(w.district.url)]
  await agent.signIn('agent.east', PASSWORD)
  await clerk.signIn('clerk', PASSWORD)
  await boss.signIn('supervisor', PASSWORD)
}
/** A case of an item that is promised in working days. */
async function file(client, community) {
  const item = await until('the item', () => client.get('/items/residence-permit'))
  const paper = await client.upload(png(), 'image/png', 'paper.png')
  return client.post('/cases', { ...filing(item, who, [paper], 'pickup'), ...community ? { community } : {} })
}
/** All tickets that the client may see, page by page. */
async function tickets(client) {
  const all = []
  for (let next = ''; next !== undefined;) {
    const page = await client.get(`/tickets?limit=200${next && `&cursor=${next}`}`)
    all.push(...page.tickets)
    next = page.next
  }
  return all
}
const repairs = s => s.status().repairs

test('the blind street has no numbers of a kind that it does not know, and says so', async () => {
  const e = await agent.post('/tickets', { queue: 'A' }).catch(x => x)
  assert.deepEqual([e.status, e.body.code], [409, 'numbers-used-up'])
})

test('what it does not know is kept and passed up, and the district reads it', PATIENT, async () => {
  await peer.connect(w.street.syncPort)
  for (let i = 0; i < TICKETS; i++)
    peer.event('ticket.issued/1', ticket(i), { hall: HALL, queue: 'ABC'[Math.floor(i / 150)], class: 'normal' }, { salt: randomBytes(16), personal: '{"by":"试验"}' })
  for (let i = 0; i < 10; i++) peer.event('ticket.left/1', ticket(i), {})
  peer.event('ticket.painted/9', ticket(20), { colour: 'red' }) // a kind that nobody here knows
  peer.event('lamp.lit/7', '', { site: SITE, lamps: 3 }) // a fact that nobody here knows
  for (let i = 0; i < peer.seq; i += 200) await peer.sendEvents(i, Math.min(200, peer.seq - i))
  await until('the acknowledgement', () => peer.acked === peer.seq)
  peer.sendHead()
  await until('all at the district', async () => (await tickets(boss)).length === TICKETS)
  await until('who has left', async () => (await tickets(boss)).filter(t => t.state === 'left').length === 10)
  assert.deepEqual((await boss.get('/tickets/' + ticket(20))).timeline.map(l => l.title_en), ['Number taken', 'A step that a newer program has taken'])
  assert.deepEqual((await clerk.get('/tickets')).tickets, []) // the blind one has no rows of them
})

test('a case that the district has suspended: a line at the blind street, and nothing is done beside it', PATIENT, async () => {
  suspended = (await file(clerk, SITES.east.site)).case_no
  await clerk.post(`/cases/${suspended}/actions`, { action: 'transfer', reason: '请区里办理' })
  const step = (action, more) => until(action, () => boss.post(`/cases/${suspended}/actions`, { action, ...more }))
  await step('accept')
  assert.equal((await step('suspend', { reason: '等待鉴定' })).suspended, true)
  const c = await until('the line', async () => { const x = await clerk.get('/cases/' + suspended); return x.read_only && x })
  assert.equal(c.suspended, false)
  assert.deepEqual(c.timeline.filter(l => l.title_en === 'A step that a newer program has taken').map(l => [l.title, l.site]), [['较新版本程序记录的一步', SITES.district.site]])
  // It went on down unread, to whoever can read it; and the desk of the blind one is offered nothing that decides.
  await until('the community', async () => (await agent.get('/cases/' + suspended)).suspended)
  assert.deepEqual(c.actions, [])
  const e = await clerk.post(`/cases/${suspended}/actions`, { action: 'take_back', reason: '收回' }).catch(x => x)
  assert.deepEqual([e.status, e.body.code], [409, 'not-here-or-not-now'])
})

test('nobody has work of it: no repair item anywhere, and the blind folder verifies', async () => {
  for (const s of w.all) assert.equal(repairs(s), 0, s.name)
  assert.match(run(BLIND, ['verify', '--data', w.street.dir]), /projections: equal to a fresh fold/)
  assert.equal((await file(clerk, SITES.east.site)).promised_at, undefined) // it knows no calendar, so it promises nothing
})

test('the new program on its folder: open for work at once, and it reads what the other could not', PATIENT, async () => {
  peer.close()
  await w.street.stop()
  w.street.program = HUB
  await w.street.start()
  await clerk.signIn('clerk', PASSWORD)
  assert.equal((await clerk.get('/cases/' + suspended)).case_no, suspended) // beside catching up
  await until('the tickets', async () => (await tickets(clerk)).length === TICKETS)
  // The hall has answered to each of today's that is still wanted: it has a place.
  await until('their places', async () => (await tickets(clerk)).filter(t => t.state === 'waiting').length === TICKETS - 10)
  await until('the district hears of the places', async () => (await tickets(boss)).filter(t => t.state === 'waiting').length === TICKETS - 10)
  const c = await until('the suspension', async () => { const x = await clerk.get('/cases/' + suspended); return x.suspended && x })
  assert.equal(c.read_only, false)
  assert.deepEqual(c.timeline.map(l => l.kind), (await boss.get('/cases/' + suspended)).timeline.map(l => l.kind))
  assert.match((await file(clerk, SITES.east.site)).promised_at, /^20/) // the calendar, too
  assert.equal((await clerk.get('/tickets/' + ticket(20))).timeline.at(1).title_en, 'A step that a newer program has taken') // still unknown
  for (const s of w.all) assert.equal(repairs(s), 0, s.name)
})

test('who has part hears of it: the calendar and numbers come to the old child', PATIENT, async () => {
  await until('a promise', async () => (await file(agent)).promised_at)
  const t = await until('a ticket', () => agent.post('/tickets', { queue: 'D' }))
  await until('its place', async () => (await clerk.get('/tickets/' + t.id)).state === 'waiting')
  const own = await clerk.post('/tickets', { queue: 'D' })
  assert.equal(own.no, 'D500')
})

test('a child that is enrolled only now gets it, too', PATIENT, async () => {
  // The community is made anew, by a real program: all that it had said comes back, and what the hall has said since.
  const invitation = await runBeside(HUB, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区'])
  later = new Site(join(dir, 'later'), NODE, 'later')
  later.link = { close() {} }
  await runBeside(NODE, ['init', '--data', later.dir, '--parent', `https://127.0.0.1:${w.street.syncPort}`, '--invitation', invitation.split('\n').pop()])
  await later.start()
  run(HUB, ['user', 'add', '--data', w.district.dir, '--username', 'agent.later', '--name', '代办员新', '--role', 'agent', '--site', SITE, '--password-stdin'], PASSWORD + '\n')
  const one = new Client(later.url)
  await until('the account', () => one.signIn('agent.later', PASSWORD).then(() => true))
  await until('its tickets, with their places', async () => (await tickets(one)).filter(t => t.state === 'waiting').length === TICKETS - 10)
  assert.equal((await tickets(one)).length, TICKETS)
  await until('the calendar', async () => (await file(one)).promised_at)
  assert.match((await until('a number', () => one.post('/tickets', { queue: 'D' }))).no, /^D/)
})

test('folded again it is all the same', PATIENT, async () => {
  await later.stop()
  await w.stop()
  for (const s of [...w.all, later]) {
    assert.match(run(s.program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/, s.name)
    run(s.program, ['rebuild', '--data', s.dir])
    assert.match(run(s.program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/, s.name)
  }
})
