// A newer node at an older hub, an older node at a newer hub: they speak the older version and lose nothing. Where both know
// none in common they say so in words, and go on where they were when one of them is upgraded.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, build, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-versions-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const B = process.env.B || 'build'
const OLDER = `${B}/wire-2-2`, STRANGE = `${B}/wire-4-5`
let w, agent, street

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  await signIn()
}, { timeout: 60000 })
after(async () => {
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function signIn() {
  street = new Client(w.street.url)
  await until('the clerk', () => street.signIn('clerk', PASSWORD).then(() => true))
  agent = new Client(w.east.url)
  await until('the agent', () => agent.signIn('agent.east', PASSWORD).then(() => true))
}

/** The node and its street with these programs; the logs begin anew. */
async function with_programs(node, hub) {
  await w.east.stop()
  await w.street.stop()
  Object.assign(w.east, { program: `${node}/doorstep-node`, log: join(dir, `east-${Date.now()}.log`) })
  Object.assign(w.street, { program: `${hub}/doorstep-hub`, log: join(dir, `street-${Date.now()}.log`) })
  await w.street.start()
  await w.east.start()
  await signIn()
}

async function file() {
  const item = await until('the item', () => agent.get('/items/birth-registration-first'))
  const paper = await agent.upload(png(), 'image/png', 'paper.png')
  return until('a filing', () => agent.post('/cases', filing(item, who, [paper], 'pickup')).then(c => c.case_no))
}

async function works(version) {
  const no = await file()
  await until('the case at the street', () => street.get('/cases/' + no))
  await until('everything sent', async () => (await agent.get('/status')).link.unsent_events === 0)
  await until('the paper at the street', async () => (await street.get('/cases/' + no)).materials.flatMap(m => m.documents).every(d => d.state === 'here'))
  for (const s of [w.east, w.street]) {
    const said = [...readFileSync(s.log, 'utf8').matchAll(/link=up peer=(\d+) version=(\d+)/g)].filter(m => s === w.east || m[1] === '331002003901').map(m => Number(m[2]))
    assert.ok(said.length && said.every(v => v === version), `${s.name} says versions ${said}`)
  }
}

test('two programs of today speak version 3', { timeout: 60000 }, () => works(3))

test('an older node at a newer hub', { timeout: 60000 }, async () => {
  await with_programs(OLDER, B)
  await works(2)
})

test('a newer node at an older hub', { timeout: 60000 }, async () => {
  await with_programs(B, OLDER)
  await works(2)
})

test('no version in common: said in words at both ends, and nothing is lost', { timeout: 60000 }, async () => {
  await with_programs(STRANGE, B)
  const no = await file() // the office works on
  const link = await until('the reason', async () => { const l = (await agent.get('/status')).link; return /no common version/.test(l.reason) && l })
  assert.equal(link.state, 'down')
  assert.ok(link.unsent_events > 0)
  await until('the hub says so', () => /no common version: this side speaks 2 to 3, the other 4 to 5; the program of this side is too old/.test(readFileSync(w.street.log, 'utf8')))
  await assert.rejects(street.get('/cases/' + no))
  await with_programs(B, B)
  await until('the case at the street', () => street.get('/cases/' + no))
  await works(3)
  await w.stop()
  for (const s of w.all) run(s === w.east || s === w.west ? NODE : HUB, ['verify', '--data', s.dir])
})
