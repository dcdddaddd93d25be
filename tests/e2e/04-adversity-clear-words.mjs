// A full disk, a database that cannot be opened, a folder of another site or of a newer program, a clock that
// is an hour wrong, an invitation that has expired: each has a clear message and loses nothing.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, PATIENCE_MS, PATIENT, Site, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const B = process.env.B || 'build'
const dir = mkdtempSync(join(tmpdir(), 'doorstep-adversity-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const preload = { LD_PRELOAD: resolve(B, 'adversity.so'), ASAN_OPTIONS: 'verify_asan_link_order=0:detect_leaks=0' }
const district = new Site(join(dir, 'd'), HUB, 'd')
const street = new Site(join(dir, 's'), HUB, 's')
const all = () => ['items', 'calendar'].flatMap(d => readdirSync(`schema/catalogue/${d}`).map(f => `schema/catalogue/${d}/${f}`))
const invite = (hub, site, name) => run(HUB, ['invite', '--data', hub.dir, '--site', site, '--name', name]).split('\n').pop()
const words = (program, args) => {
  const r = spawnSync(program, args, { encoding: 'utf8', timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
  return { code: r.status, text: r.stderr }
}

before(() => {
  run(HUB, ['init', '--data', district.dir, '--site', '331002000000', '--name', '椒江区'])
  run(HUB, ['catalogue', 'import', '--data', district.dir, ...all()])
}, PATIENT)
after(async () => {
  await street.stop()
  await district.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('wrong usage says what is wrong and exits 2', () => {
  assert.equal(words(HUB, []).code, 2)
  const r = words(HUB, ['run', '--dta', 'x'])
  assert.equal(r.code, 2)
  assert.match(r.text, /--dta/)
})

test('a folder that holds no site, or holds one already', () => {
  let r = words(HUB, ['status', '--data', join(dir, 'nothing')])
  assert.equal(r.code, 1)
  assert.match(r.text, /holds no site/)
  r = words(HUB, ['init', '--data', district.dir, '--site', '331002000000', '--name', '椒江区'])
  assert.equal(r.code, 1)
  assert.match(r.text, /already holds a site; nothing was changed/)
})

test('a folder of a newer program', () => {
  cpSync(district.dir, join(dir, 'newer'), { recursive: true })
  const path = join(dir, 'newer/site.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), format: 99 }))
  const r = words(HUB, ['run', '--data', join(dir, 'newer'), '--listen', '127.0.0.1:0'])
  assert.equal(r.code, 1)
  assert.match(r.text, /newer program/)
})

test("another site's database", () => {
  run(HUB, ['init', '--data', join(dir, 'other'), '--site', '331004000000', '--name', '样例区'])
  copyFileSync(join(district.dir, 'doorstep.db'), join(dir, 'other/doorstep.db'))
  const r = words(HUB, ['run', '--data', join(dir, 'other'), '--listen', '127.0.0.1:0'])
  assert.equal(r.code, 1)
  assert.match(r.text, /belongs to site 331002000000, but site.json says 331004000000/)
})

test('a database that is none', () => {
  cpSync(district.dir, join(dir, 'broken'), { recursive: true })
  writeFileSync(join(dir, 'broken/doorstep.db'), 'this is no database'.repeat(500))
  const r = words(HUB, ['run', '--data', join(dir, 'broken'), '--listen', '127.0.0.1:0'])
  assert.equal(r.code, 1)
  assert.match(r.text, /database/)
})

test('an invitation that has expired', PATIENT, async () => {
  const code = invite(district, '331002003000', '葭沚街道')
  await district.start([], { ...preload, ADVERSITY_CLOCK: String(8 * 86400) })
  const r = words(HUB, ['init', '--data', join(dir, 'late'), '--parent', `https://127.0.0.1:${district.syncPort}`, '--invitation', code])
  assert.equal(r.code, 1)
  assert.match(r.text, /已过期.*expired/s)
  await district.stop()
})

test('one program serves a folder; a port that is in use', PATIENT, async () => {
  await district.start()
  let r = words(HUB, ['run', '--data', district.dir, '--listen', '127.0.0.1:0'])
  assert.equal(r.code, 1)
  assert.match(r.text, /another program serves/)
  cpSync(district.dir, join(dir, 'twin'), { recursive: true })
  r = words(HUB, ['run', '--data', join(dir, 'twin'), '--listen', `127.0.0.1:${district.port}`])
  assert.equal(r.code, 1)
  assert.match(r.text, /in use/)
})

test('a site that has no accounts yet says so, and counts no try as a wrong password', PATIENT, async () => {
  const early = new Client(district.url)
  for (let i = 0; i < 20; i++) {
    const r = await early.signIn('admin', PASSWORD).catch(e => e)
    assert.equal(r.status, 503, String(r))
    assert.equal(r.body.code, 'no-accounts-yet')
    assert.match(r.body.detail, /user add/)
  }
  run(HUB, ['user', 'add', '--data', district.dir, '--username', 'admin', '--name', '管理员', '--role', 'admin', '--password-stdin'], PASSWORD + '\n')
  assert.equal((await early.signIn('admin', PASSWORD)).role, 'admin')
  assert.equal((await early.signIn('nobody', PASSWORD).catch(e => e)).status, 401)
})

test('an invitation of another district is refused by its fingerprint', () => {
  const code = invite(district, '331002003000', '葭沚街道')
  const r = words(HUB, ['init', '--data', join(dir, 'mitm'), '--parent', `https://127.0.0.1:${district.syncPort}`,
    '--invitation', code.slice(0, -32) + '0'.repeat(32)])
  assert.equal(r.code, 1)
  assert.match(r.text, /another authority/)
})

test('a node is not made by a hub, nor a hub by a node', () => {
  const r = words(NODE, ['init', '--data', join(dir, 'wrong'), '--parent', `https://127.0.0.1:${district.syncPort}`,
    '--invitation', invite(district, '331002003000', '葭沚街道')])
  assert.equal(r.code, 1)
  assert.match(r.text, /use doorstep-hub/)
})

test('a clock that is an hour wrong is told, and everything flows', PATIENT, async () => {
  run(HUB, ['init', '--data', street.dir, '--parent', `https://127.0.0.1:${district.syncPort}`, '--invitation', invite(district, '331002003000', '葭沚街道')])
  await street.start([], { ...preload, ADVERSITY_CLOCK: '3600' })
  const early = await new Client(street.url).signIn('clerk', PASSWORD).catch(e => e)
  assert.equal(early.status, 503, String(early))
  assert.match(early.body.detail, /上级/)
  run(HUB, ['user', 'add', '--data', street.dir, '--username', 'clerk', '--name', '窗口甲', '--role', 'clerk', '--password-stdin'], PASSWORD + '\n')
  const clerk = new Client(street.url)
  await clerk.signIn('clerk', PASSWORD)
  await until('the link', async () => (await clerk.get('/status')).link.state === 'up')
  assert.ok(Math.abs((await clerk.get('/status')).link.skew_ms + 3600000) < 60000, 'the skew is shown')
  assert.match(readFileSync(street.log, 'utf8'), /clock=wrong/)
  await until('the catalogue', async () => (await street.api.get('/items')).items.length >= 12)
  const paper = await clerk.upload(png(), 'image/png', 'paper.png')
  const c = await clerk.post('/cases', filing(await clerk.get('/items/birth-registration-first'), who, [paper], 'pickup'))
  await until('everything sent', async () => (await clerk.get('/status')).link.unsent_events === 0)
  await street.stop()
  await street.start()
  await clerk.signIn('clerk', PASSWORD)
  assert.equal((await clerk.get('/cases/' + c.case_no)).state, 'submitted')
})

test('a full disk is told, changes nothing, and loses nothing', PATIENT, async () => {
  await street.stop()
  const flag = join(dir, 'full')
  await street.start([], { ...preload, ADVERSITY_FULL: flag })
  const clerk = new Client(street.url)
  await clerk.signIn('clerk', PASSWORD)
  const item = await clerk.get('/items/birth-registration-first')
  const paper = await clerk.upload(png(), 'image/png', 'paper.png')
  const kept = await clerk.post('/cases', filing(item, who, [paper], 'pickup'))
  const path = await clerk.tusCreate(100000, 'image/png', 'big.png')
  writeFileSync(flag, '')
  const sent = await clerk.tusPatch(path, 0, Buffer.concat([png(), Buffer.alloc(50000)])).catch(e => e)
  assert.equal(sent.status, 507, String(sent))
  assert.match(sent.body, /磁盘已满/)
  const refused = await clerk.post('/cases', filing(item, who, [paper], 'pickup')).catch(e => e)
  assert.ok([503, 507].includes(refused.status), String(refused))
  assert.match(refused.body.detail, /磁盘已满|存储/)
  assert.equal((await clerk.get('/cases/' + kept.case_no)).state, 'submitted', 'reading goes on')
  rmSync(flag)
  await street.stop()
  await street.start()
  await clerk.signIn('clerk', PASSWORD)
  const list = (await clerk.get('/cases')).cases.map(c => c.case_no)
  assert.ok(list.includes(kept.case_no))
  assert.equal(list.length, 2, 'what was refused is not there')
  await clerk.post('/cases', filing(item, who, [paper], 'pickup'))
  await street.stop()
  run(HUB, ['verify', '--data', street.dir])
})
