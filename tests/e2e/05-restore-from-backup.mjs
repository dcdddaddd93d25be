// A node restored from an old backup gets its own past back from its street before it says anything; one whose
// files were only copied back finds out, and goes on in a new epoch: nothing that the street has seen is lost.
import { test, after } from 'node:test'
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { NODE, PASSWORD, PATIENT, SITES, build, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-restore-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
let w
after(async () => {
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('a restored node forgets nothing that its street has seen', PATIENT, async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  const street = new Client(w.street.url)
  await until('the clerk', () => street.signIn('clerk', PASSWORD).then(() => true))
  let agent
  const sign = async () => { agent = new Client(w.east.url); await until('the agent', () => agent.signIn('agent.east', PASSWORD).then(() => true)) }
  await sign()
  const item = await until('the item', () => agent.get('/items/birth-registration-first'))
  const paper = await agent.upload(png(), 'image/png', 'paper.png')
  const file = () => until('a filing', () => agent.post('/cases', filing(item, who, [paper], 'pickup')).then(c => c.case_no))
  const heads = site => Object.fromEntries(site.status().origins.map(o => [o.origin, o.seq]))
  const settled = () => until('everything sent', async () => (await agent.get('/status')).link.unsent_events === 0)

  const first = await file()
  await settled()
  run(NODE, ['backup', '--data', w.east.dir, join(dir, 'copy')])
  const lost = [await file(), await file()]
  await settled()
  await w.east.stop('SIGKILL')
  rmSync(w.east.dir, { recursive: true })
  run(NODE, ['restore', '--data', w.east.dir, join(dir, 'copy')])
  await w.east.start()
  await sign()
  for (const no of [first, ...lost]) await until(`case ${no} at the node again`, () => agent.get('/cases/' + no))
  const next = await file()
  assert.ok(![first, ...lost].includes(next), 'no number twice')
  await settled()
  await until('the same chain at the street', () => heads(w.street)[SITES.east.site] === heads(w.east)[SITES.east.site])

  // Now somebody copies old files back by hand; the node works on offline before it can know.
  await w.east.stop()
  cpSync(w.east.dir, join(dir, 'by-hand'), { recursive: true })
  await w.east.start()
  await sign()
  const forgotten = [await file(), await file(), await file()]
  await settled()
  await w.east.stop('SIGKILL')
  rmSync(w.east.dir, { recursive: true })
  cpSync(join(dir, 'by-hand'), w.east.dir, { recursive: true })
  w.links.east.down()
  await w.east.start()
  await sign()
  await agent.post('/cases', filing(item, { ...who, id_number: '33990019850613009X' }, [paper], 'pickup'))
  w.links.east.up()
  for (const no of forgotten) await until(`case ${no} at the node again`, () => agent.get('/cases/' + no))
  await until('the new epoch at the street', async () => Object.keys(heads(w.street)).some(o => o.startsWith(SITES.east.site + '.')))
  await settled()
  const mine = heads(w.east)
  await until('the same chains at the street', async () => {
    const theirs = heads(w.street)
    return Object.keys(mine).filter(o => o.startsWith(SITES.east.site)).every(o => theirs[o] === mine[o])
  })
  // The street and the district have seen the node's signature under what they hold of it, in its new epoch too.
  for (const site of [w.street, w.district])
    await until(`the signed heads at ${site.name}`, () => site.status().origins.filter(o => o.origin.startsWith(SITES.east.site + '.')).some(o => o.signed_seq === o.seq))
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})
