// The main job through a district, a street and two nodes, each killed at a bad moment: every step
// of the story holds. (The same story that `make demo` plays.)
import { test, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync, readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PATIENT, build } from '../../scripts/demo/world.mjs'
import { play } from '../../scripts/demo/story.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-story-'))
let world

after(async () => {
  await world?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('the main job', PATIENT, async t => {
  world = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  let broken = false
  const facts = await play(world, (name, fn) => t.test(name, { skip: false }, async () => {
    if (broken) throw new Error('an earlier step failed')
    broken = true
    await fn()
    broken = false
  }).then(() => { if (broken) throw new Error(`step failed: ${name}`) }))

  await t.test('the PDF says the number and holds Chinese text', () => {
    writeFileSync(join(dir, 'c.pdf'), facts.pdf)
    if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, 'certificate.pdf'), facts.pdf)
    const r = spawnSync('pdftotext', [join(dir, 'c.pdf'), '-'], { encoding: 'utf8' })
    assert.equal(r.status, 0, r.stderr)
    assert.ok(r.stdout.replace(/\s/g, '').includes(facts.third.certificate), r.stdout)
    assert.match(r.stdout, /[\u4e00-\u9fff]{2}/)
  })
  await t.test('the label hides the name and the whole number', () => {
    writeFileSync(join(dir, 'l.pdf'), facts.label)
    if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, 'label.pdf'), facts.label)
    const text = spawnSync('pdftotext', [join(dir, 'l.pdf'), '-'], { encoding: 'utf8' }).stdout
    assert.ok(!text.includes('陈晓月') && !text.includes('10000000003'), text)
    assert.ok(text.replace(/\s/g, '').includes(facts.third.delivery.waybill), text)
  })
})
