// A node whose clock is five hours fast, and one that is forty days fast: days that people read are those of the site that acts,
// nothing is stuck, a person filed twice is told, and a case goes to nobody who is not there.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD, PATIENT, SITES, build, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-clocks-'))
const off = s => ({ LD_PRELOAD: resolve(process.env.B || 'build', 'adversity.so'), ASAN_OPTIONS: 'verify_asan_link_order=0:detect_leaks=0', ADVERSITY_CLOCK: String(s) })
const HOUR = 3600
const who = n => ({ name: '周大海', id_type: '111', id_number: n, mobile: '10000000002' })
const near = (at, ms, slack = 10 * 60000) => assert.ok(Math.abs(Date.parse(at) - ms) < slack, `${at} is not near ${new Date(ms).toISOString()}`)
let w, clerk, item

async function agent(site, name) {
  const a = new Client(site.url)
  await until('the agent', () => a.signIn(name, PASSWORD))
  return a
}
async function file(client, n) {
  const paper = await client.upload(png(), 'image/png', 'paper.png')
  return client.post('/cases', filing(item, who(n), [paper], 'pickup'))
}

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  clerk = new Client(w.street.url)
  await until('the clerk', () => clerk.signIn('clerk', PASSWORD))
  item = await clerk.get('/items/birth-registration-first')
}, PATIENT)
after(async () => {
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test("a node five hours fast: the street's days are its own, and a person filed twice is told", PATIENT, async () => {
  await w.east.stop()
  await w.east.start([], off(5 * HOUR))
  const east = await agent(w.east, 'agent.east')
  const first = await file(east, '339900198506130110')
  near(first.created_at, Date.now() + 5 * HOUR * 1000)
  await until('the case at the street', () => clerk.get('/cases/' + first.case_no))
  const second = await file(clerk, '339900198506130110')
  near(second.created_at, Date.now())
  assert.deepEqual(second.duplicates, [first.case_no])
  const now = Date.now()
  const done = await clerk.post(`/cases/${second.case_no}/actions`, { action: 'complete' })
  const certificate = await clerk.get('/certificates/' + done.certificate.number)
  near(certificate.issued_at, now)
  const today = new Date(now + 8 * HOUR * 1000).toISOString().slice(0, 10)
  assert.equal(certificate.issued_on, today)
  assert.ok(done.timeline.every(l => Math.abs(Date.parse(l.at) - now) < 10 * 60000), JSON.stringify(done.timeline))
  const status = await until('the skew', async () => {
    const s = w.street.status().children.find(c => c.site === SITES.east.site)
    return s.clock_differs && s
  })
  assert.ok(Math.abs(status.skew_ms - 5 * HOUR * 1000) < 60000)
  await until('the skew at the node', async () => w.east.status().link.clock_differs)
})

test('a node forty days fast hands a case on; its clock is put right; the street goes on with it', PATIENT, async () => {
  await w.west.stop()
  w.links.west.down()
  await w.west.start([], off(40 * 24 * HOUR))
  const west = await agent(w.west, 'agent.west')
  const c = await file(west, '339900199603120429')
  await west.post(`/cases/${c.case_no}/actions`, { action: 'transfer', reason: '居民要求' })
  await w.west.stop()
  w.links.west.up()
  await w.west.start()
  const here = await until('the case at the street', async () => {
    const x = await clerk.get('/cases/' + c.case_no)
    return x.custodian === SITES.street.site && x
  })
  assert.ok(here.actions.includes('accept'))
  const accepted = await clerk.post(`/cases/${c.case_no}/actions`, { action: 'accept' })
  assert.equal(accepted.state, 'accepted')
  const done = await clerk.post(`/cases/${c.case_no}/actions`, { action: 'complete' })
  assert.equal(done.state, 'completed')
  near(done.certificate.issued_at, Date.now())
  assert.equal((await clerk.get('/repairs')).repairs.length, 0)
})

test('a case goes to nobody who is not there', PATIENT, async () => {
  const c = await file(clerk, '339900198702140623')
  const e = await clerk.post(`/cases/${c.case_no}/actions`, { action: 'transfer', to: '331002003999', reason: '样例' }).catch(x => x)
  assert.equal(e.status, 422, String(e))
  assert.equal(e.body.field, 'to')
  assert.equal((await clerk.get('/cases/' + c.case_no)).custodian, SITES.street.site)
})

test('every site holds what it must', PATIENT, async () => {
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})
