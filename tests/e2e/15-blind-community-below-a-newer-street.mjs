// A community whose program is older than its street's. What it could not read it is not sent, and gets once it can; a
// suspended case is not handed to it; one that reaches it all the same is read there, handed back, and nothing else.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, PATIENT, SITES, build, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { Peer } from './peer.mjs'

const BLIND = `${process.env.B || 'build'}/blind/doorstep-node`
const SITE = '331002003903', HALL = SITES.street.site
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-blind-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const day = new Date(Date.now() + 8 * 3600000).toISOString().slice(2, 10).replaceAll('-', '')
let w, peer, agent, west, clerk, before_it, to_west, to_east

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  await signIn()
}, PATIENT)
after(async () => {
  peer?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function signIn() {
  ;[agent, west, clerk] = [new Client(w.east.url), new Client(w.west.url), new Client(w.street.url)]
  await until('the agents', () => agent.signIn('agent.east', PASSWORD).then(() => true))
  await west.signIn('agent.west', PASSWORD)
  await clerk.signIn('clerk', PASSWORD)
}
/** The east node with this program from now on. */
async function east(program) {
  await w.east.stop()
  w.east.program = program
  await w.east.start()
  await signIn()
}
async function suspend() {
  const item = await clerk.get('/items/birth-registration-first')
  const paper = await clerk.upload(png(), 'image/png', 'paper.png')
  const no = (await clerk.post('/cases', filing(item, who, [paper], 'pickup'))).case_no
  await act(clerk, no, 'accept')
  assert.equal((await act(clerk, no, 'suspend', { reason: '等待鉴定' })).suspended, true)
  return no
}
const act = (client, no, action, more = {}) => client.post(`/cases/${no}/actions`, { action, ...more })
const refused = (what, status, code) => assert.rejects(what, e => { assert.deepEqual([e.status, e.body?.code], [status, code], e.message); return true })
const kinds = (client, t) => client.get('/tickets/' + t.id).then(x => x.timeline.map(l => l.kind))

test('a site is sent the types that it has said to know, and what it has missed once it knows one more', PATIENT, async () => {
  const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区']).split('\n').pop()
  peer = await new Peer(dir, SITE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
  await peer.connect(w.street.syncPort)
  const say = async (...e) => { peer.event(...e); await peer.sendEvents(peer.seq - 1, 1); await until('the acknowledgement', () => peer.acked === peer.seq) }
  const lent = await until('numbers of its own', () => peer.received.filter(e => e.kind === 'block.leased/1').map(e => JSON.parse(e.record)).find(b => b.kind === 'ticket' && b.holder === SITE))
  const id = `q331002003${day}T${String(lent.first + 1).padStart(3, '0')}`
  const got = kind => peer.received.filter(e => e.dossier === id && (!kind || e.kind === kind))
  await say('ticket.issued/1', id, { hall: HALL, queue: 'T', class: 'normal' }, { salt: randomBytes(16), personal: '{"by":"试验"}' })
  await until('its place', async () => (await clerk.get('/tickets/' + id)).state === 'waiting')
  await clerk.post(`/tickets/${id}/actions`, { action: 'call', window: '1' })
  // What comes behind it in the outbox has come: nothing of the ticket has.
  await say('site.equipped/1', '', { site: SITE, program: 'of before', types: ' case ', critical: '' })
  run(HUB, ['user', 'add', '--data', w.district.dir, '--username', 'agent.peer', '--name', '代办员', '--role', 'agent', '--site', SITE, '--password-stdin'], PASSWORD + '\n')
  await until('the account', () => peer.received.some(e => e.kind === 'account.created/1'))
  assert.deepEqual(got(), [])
  await say('site.equipped/1', '', { site: SITE, program: 'of today', types: ' case ticket ', critical: '' })
  await until('what it missed', () => got('ticket.joined/1').length && got('ticket.called/1').length)
  await clerk.post(`/tickets/${id}/actions`, { action: 'serve' })
  await until('what comes now', () => got('ticket.served/1').length)
  assert.equal(got('ticket.called/1').length, 1)
  await clerk.post(`/tickets/${id}/actions`, { action: 'finish' })
  peer.close()
})

test('a suspended case goes only to who knows what that is', PATIENT, async () => {
  before_it = await agent.post('/tickets', { queue: 'E' })
  await until('its place', async () => (await agent.get('/tickets/' + before_it.id)).state === 'waiting')
  to_east = await suspend() // before it is known that the east node is older
  w.links.east.down()
  await act(clerk, to_east, 'transfer', { to: SITES.east.site, reason: '请社区办理' })
  await east(BLIND)
  await clerk.post('/queues/E/next', { window: '2' })
  w.links.east.up()
  await until('what the east node says of itself', async () => {
    const no = await suspend()
    const e = await act(clerk, no, 'transfer', { to: SITES.east.site, reason: '请社区办理' }).catch(x => x)
    to_west = no
    return e.body?.code === 'program-too-old' && e.status === 409
  })
  assert.equal((await clerk.get('/cases/' + to_west)).custodian, HALL)
  assert.equal((await act(clerk, to_west, 'transfer', { to: SITES.west.site, reason: '请社区办理' })).custodian, SITES.west.site)
  const there = await until('the case in the west', () => west.get('/cases/' + to_west))
  assert.deepEqual([there.suspended, there.read_only], [true, false])
  await until('the lease', async () => (await act(west, to_west, 'transfer', { reason: '退回' }).catch(x => x)).custodian === HALL)
})

test('one that reached an older program is read there, and comes back', PATIENT, async () => {
  const c = await until('the case in the east', () => agent.get('/cases/' + to_east))
  assert.deepEqual([c.read_only, c.suspended, c.custodian], [true, false, SITES.east.site])
  assert.ok(c.timeline.some(l => l.title_en === 'A step that a newer program has taken'))
  await until('the lease', async () => (await agent.get('/cases/' + to_east)).actions.length)
  assert.deepEqual((await agent.get('/cases/' + to_east)).actions, ['transfer'])
  for (const action of ['complete', 'approve', 'request_supplement', 'withdraw', 'note'])
    await refused(act(agent, to_east, action, { reason: '试', text: '试' }), 409, 'not-here-or-not-now')
  assert.equal((await act(agent, to_east, 'transfer', { reason: '本站程序较旧' })).custodian, HALL)
  await until('it is back', async () => (await clerk.get('/cases/' + to_east)).custodian === HALL)
  await refused(act(clerk, to_east, 'approve'), 409, 'not-here-or-not-now') // still suspended
  await act(clerk, to_east, 'resume')
  assert.equal((await act(clerk, to_east, 'approve')).state, 'granted')
  for (const s of w.all) assert.equal(s.status().repairs, 0, s.name)
})

test('tickets of the older program go on without it, and it hears of them once it is upgraded', PATIENT, async () => {
  assert.equal((await clerk.get('/tickets/' + before_it.id)).state, 'called')
  await east(NODE)
  await until('the call', async () => (await kinds(agent, before_it)).at(-1) === 'ticket.called')
  assert.equal((await agent.get('/tickets/' + before_it.id)).window, '2')
  assert.equal((await agent.get('/cases/' + to_east)).read_only, false)
  assert.equal((await agent.post('/tickets', { queue: 'E' })).no, 'E' + String(Number(before_it.no.slice(1)) + 1).padStart(3, '0'))
  const no = await suspend()
  await until('it is trusted again', () => act(clerk, no, 'transfer', { to: SITES.east.site, reason: '请社区办理' }).then(c => c.custodian === SITES.east.site))
  await until('the whole of it', async () => (await agent.get('/cases/' + no)).suspended)
})

test('folded again it is all the same', PATIENT, async () => {
  await w.stop()
  for (const s of w.all) {
    assert.match(run(s.program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/, s.name)
    run(s.program, ['rebuild', '--data', s.dir])
    assert.match(run(s.program, ['verify', '--data', s.dir]), /projections: equal to a fresh fold/, s.name)
  }
})
