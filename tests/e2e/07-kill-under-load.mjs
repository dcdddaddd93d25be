// The node, the street and the district are killed under load, again and again, filings, completions and uploads in
// their midst: what was acknowledged to a person is there in the end, at the node and at the hubs, and everything
// verifies. A disk that fails one fsync stops the writing, is told, and a restart goes on.
import { test, after } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client, Refused } from '../../scripts/demo/client.mjs'
import { PASSWORD, PATIENT, SITES, build, run, sleep, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const KILLS = 12
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-kill-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const B = process.env.B || 'build'
let w
after(async () => {
  await w?.stop().catch(() => {})
  rmSync(dir, { recursive: true, force: true })
})

const signed = async (site, user) => {
  const c = new Client(site.url)
  await until(user, () => c.signIn(user, PASSWORD).then(() => true))
  return c
}

test('killed under load, nothing acknowledged is lost', PATIENT, async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  const agent = await signed(w.east, 'agent.east')
  const clerk = await signed(w.street, 'clerk')
  const item = await until('the item', () => agent.get('/items/birth-registration-first'))
  const told = { cases: [], completed: [], papers: [] } // what somebody was told
  let stop = false

  // A person who tries again as long as nobody answers, and takes a refusal for an answer.
  const person = async (client, site, k) => {
    for (let n = 0; !stop; n++) {
      const bytes = png(90 + k, 60 + n % 200, 3 + n % 7)
      try {
        const digest = await client.upload(bytes, 'image/png', `paper-${k}-${n}.png`, { step: 2048 })
        told.papers.push({ site, digest })
        const c = await client.postSure('/cases', filing(item, who, [digest], 'pickup'))
        told.cases.push({ no: c.case_no, site, digest })
        if (n % 2) continue
        await client.postSure(`/cases/${c.case_no}/actions`, { action: 'complete' })
        told.completed.push(c.case_no)
      } catch (e) {
        if (e instanceof Refused && e.status < 500 && e.status !== 409 && e.status !== 404) throw e
        await sleep(100) // the connection broke, or the office is starting: the next one
      }
    }
  }
  const people = [person(agent, w.east, 0), person(agent, w.east, 1), person(clerk, w.street, 2)]
  // Each is killed at any moment after the office has said something again, so that on every machine there is a load.
  const words = () => told.cases.length + told.completed.length + told.papers.length
  const order = [w.east, w.street, w.east, w.street, w.east, w.district]
  for (let i = 0; i < KILLS; i++) {
    const before = words()
    await sleep(300 + Math.random() * 900)
    await until('a word of the office', () => words() > before)
    await order[i % order.length].crash()
  }
  await until('enough to judge', () => told.cases.length > 20 && told.completed.length > 5)
  stop = true
  await Promise.all(people)
  assert.equal(w.east.kills + w.street.kills + w.district.kills, KILLS)
  assert.equal(new Set(told.cases.map(c => c.no)).size, told.cases.length, 'no number twice')

  const supervisor = await signed(w.district, 'supervisor')
  await until('everything sent', async () => (await agent.get('/status')).link.unsent_events === 0 && (await clerk.get('/status')).link.unsent_events === 0)
  const node = await signed(w.east, 'agent.east')
  const hub = await signed(w.street, 'clerk')
  const whole = (c, d) => c.materials.flatMap(m => m.documents).some(x => x.digest === d && x.state === 'here')
  for (const c of told.cases) {
    if (c.site === w.east) assert.ok(whole(await node.get('/cases/' + c.no), c.digest), `the paper of ${c.no} at the node`)
    await until(`case ${c.no} and its paper at the street`, async () => whole(await hub.get('/cases/' + c.no), c.digest))
    await until(`case ${c.no} at the district`, () => supervisor.get('/cases/' + c.no))
  }
  for (const no of told.completed) assert.match((await hub.get('/cases/' + no)).state, /completed|granted|delivered/, no)
  for (const { site, digest } of told.papers) {
    const hex = digest.slice(7)
    assert.ok(existsSync(join(site.dir, 'blobs', hex.slice(0, 2), hex)), `${digest} at ${site.name}`)
  }
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})

test('a failed fsync stops the writing and is told; a restart goes on', PATIENT, async () => {
  const flag = join(dir, 'sync-fails')
  const env = { LD_PRELOAD: resolve(B, 'adversity.so'), ADVERSITY_SYNC: flag }
  await w.east.start([], env)
  let agent = await signed(w.east, 'agent.east')
  const item = await until('the item', () => agent.get('/items/birth-registration-first'))
  const before = (await agent.post('/cases', filing(item, who, [], 'pickup'))).case_no
  writeFileSync(flag, '')
  await assert.rejects(agent.post('/cases', filing(item, who, [], 'pickup')), e => e instanceof Refused && e.status >= 500)
  unlinkSync(flag) // the disk is well again: this process must not believe it
  await assert.rejects(agent.post('/cases', filing(item, who, [], 'pickup')), 'the same connection writes no more')
  const ended = w.east.child.exitCode !== null || w.east.child.signalCode !== null
  if (!ended) {
    const health = await agent.raw('GET', '/readyz').catch(() => null)
    assert.ok(!health || health.status >= 500, 'it says that it cannot write')
  }
  assert.match(w.east.tail() + (await import('node:fs')).readFileSync(w.east.log, 'utf8'), /fail|stop/i)
  await w.east.stop('SIGKILL')
  await w.east.start()
  agent = await signed(w.east, 'agent.east')
  assert.equal((await agent.get('/cases/' + before)).case_no, before)
  const next = (await agent.post('/cases', filing(item, who, [], 'pickup'))).case_no
  assert.notEqual(next, before)
  await w.east.stop()
  run(w.east.program, ['verify', '--data', w.east.dir])
})
