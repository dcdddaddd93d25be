// Bad input gets a 4xx problem that names the field, what was expected and what came, and changes nothing.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, PATIENT, Site, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const dir = mkdtempSync(join(tmpdir(), 'doorstep-refusals-'))
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const district = new Site(join(dir, 'd'), HUB, 'd')
const street = new Site(join(dir, 's'), HUB, 's')
let clerk, item, paper

before(async () => {
  run(HUB, ['init', '--data', district.dir, '--site', '331002000000', '--name', '椒江区'])
  const items = readdirSync('schema/catalogue/items').map(f => `schema/catalogue/items/${f}`)
  const days = readdirSync('schema/catalogue/calendar').map(f => `schema/catalogue/calendar/${f}`)
  run(HUB, ['catalogue', 'import', '--data', district.dir, ...items, ...days])
  await district.start()
  const invitation = run(HUB, ['invite', '--data', district.dir, '--site', '331002003000', '--name', '葭沚街道']).split('\n').pop().trim()
  run(HUB, ['init', '--data', street.dir, '--site', '331002003000', '--name', '葭沚街道', '--parent', `https://127.0.0.1:${district.syncPort}`, '--invitation', invitation])
  await street.start()
  for (const [u, r] of [['clerk', 'clerk'], ['courier', 'courier']])
    run(HUB, ['user', 'add', '--data', street.dir, '--username', u, '--name', u, '--role', r, '--site', '331002003000', '--password-stdin'], PASSWORD + '\n')
  clerk = new Client(street.url)
  await until('the catalogue', async () => (await street.api.get('/items')).items.length >= 12)
  await clerk.signIn('clerk', PASSWORD)
  item = await clerk.get('/items/birth-registration-first')
  paper = await clerk.upload(png(), 'image/png', 'paper.png')
}, PATIENT)

after(async () => {
  await street.stop()
  await district.stop()
  rmSync(dir, { recursive: true, force: true })
})

const count = async () => (await clerk.get('/cases')).cases.length
async function refused(status, fn, field) {
  const n = await count()
  let problem
  await assert.rejects(fn(), e => { problem = e; return e.status === status || assert.fail(`expected ${status}: ${e.message}`) })
  if (field) assert.ok(String(problem.body.field).includes(field), JSON.stringify(problem.body))
  assert.ok(problem.body.title && problem.body.detail, JSON.stringify(problem.body))
  assert.equal(await count(), n, 'nothing was filed')
  return problem.body
}
const good = () => filing(item, who, [paper], 'pickup')

test('an ID number with a wrong check digit', async () => {
  const b = good()
  b.applicant = { ...who, id_number: '339900198506130111' }
  await refused(422, () => clerk.post('/cases', b), 'id_number')
})
test('a date that does not exist in the ID number', async () => {
  const b = good()
  b.applicant = { ...who, id_number: '331002190002290014' }
  await refused(422, () => clerk.post('/cases', b), 'id_number')
})
test('a mobile number that is none', async () => {
  const b = good()
  b.applicant = { ...who, mobile: '1234' }
  await refused(422, () => clerk.post('/cases', b), 'mobile')
})
test('an unknown item', async () => {
  await refused(422, () => clerk.post('/cases', { ...good(), item: 'no-such-item' }), 'item')
})
test('a paper that nobody uploaded', async () => {
  const b = good()
  b.materials[0] = { code: item.materials[0].code, documents: ['sha256:' + '0'.repeat(64)] }
  await refused(422, () => clerk.post('/cases', b), 'documents')
})
test('a required form field left out', async () => {
  const b = good()
  b.form = {}
  await refused(422, () => clerk.post('/cases', b), 'form')
})
test('broken JSON', async () => {
  const res = await clerk.raw('POST', '/api/v1/cases', { body: '{"item": ', headers: { 'Content-Type': 'application/json' } })
  assert.equal(res.status, 400)
  assert.match(res.headers.get('content-type'), /problem\+json/)
})
test('an oversized body', async () => {
  const res = await clerk.raw('POST', '/api/v1/cases', { body: JSON.stringify({ x: 'y'.repeat(3 << 20) }), headers: { 'Content-Type': 'application/json' } }).catch(() => ({ status: 413 }))
  assert.equal(res.status, 413)
})
test('a file that is not what its name says', async () => {
  const fake = Buffer.from('MZ this is no picture'.repeat(50))
  const err = await clerk.upload(fake, 'image/jpeg', 'photo.jpg').then(
    digest => clerk.post('/cases', { ...good(), materials: [{ code: item.materials[0].code, documents: [digest] }] }), e => { throw e }).catch(e => e)
  assert.ok([415, 422].includes(err.status), String(err.message))
})
test('a transition that the state does not allow names the allowed ones', async () => {
  const c = await clerk.post('/cases', good())
  await clerk.post(`/cases/${c.case_no}/actions`, { action: 'complete' })
  const p = await refused(409, () => clerk.post(`/cases/${c.case_no}/actions`, { action: 'accept' }))
  assert.ok(Array.isArray(p.allowed), JSON.stringify(p))
})
test('the same Idempotency-Key files once', async () => {
  const n = await count()
  const h = { 'Idempotency-Key': 'the-same-key-0001' }
  const other = { ...good(), applicant: { ...who, id_number: '33990019850613009X' } }
  const a = await clerk.post('/cases', other, h)
  const b = await clerk.post('/cases', other, h)
  assert.equal(a.case_no, b.case_no)
  assert.equal(await count(), n + 1)
})
test('the same person and item again is told, and filed all the same', async () => {
  const a = await clerk.post('/cases', { ...good(), applicant: { ...who, id_number: '339900198506130276' } })
  const b = await clerk.post('/cases', { ...good(), applicant: { ...who, id_number: '339900198506130276' } })
  assert.deepEqual(a.duplicates, [])
  assert.deepEqual(b.duplicates, [a.case_no])
  assert.deepEqual((await clerk.get('/cases/' + a.case_no)).duplicates, [b.case_no], 'each names the other')
})
test('deliveries: a list in pages, and a courier sees his own', async () => {
  const ids = []
  for (let i = 0; i < 3; i++) {
    const c = await clerk.post('/cases', filing(item, who, [paper], 'courier'))
    ids.unshift((await clerk.post(`/cases/${c.case_no}/actions`, { action: 'complete' })).delivery.id)
  }
  await clerk.post(`/deliveries/${ids[2]}/actions`, { action: 'assign', to: 'courier' })
  const seen = []
  for (let path = '/deliveries?limit=1'; path;) {
    const r = await clerk.raw('GET', '/api/v1' + path)
    const link = /<([^>]+)>; *rel="next"/.exec(r.headers.get('link') || '')
    const { deliveries } = await r.json()
    assert.equal(deliveries.length, 1)
    seen.push(deliveries[0].id)
    path = link && link[1].replace('/api/v1', '')
  }
  assert.deepEqual(seen.slice(0, 3), ids, 'the newest first, each once')
  assert.equal(new Set(seen).size, seen.length)
  const courier = new Client(street.url)
  await courier.signIn('courier', PASSWORD)
  assert.deepEqual((await courier.get('/deliveries')).deliveries.map(d => d.id), [ids[2]])
  assert.deepEqual((await clerk.get('/deliveries?state=assigned')).deliveries.map(d => d.id), [ids[2]])
  assert.deepEqual((await clerk.get(`/deliveries?case_no=${ids[1].slice(0, -2)}`)).deliveries.map(d => d.id), [ids[1]])
  await assert.rejects(clerk.get('/deliveries?limit=0'), e => e.status === 422 && e.body.field === 'limit')
  await assert.rejects(clerk.get('/deliveries?state=lost'), e => e.status === 422 && e.body.field === 'state')
})
test('no sign-in, a wrong password, another role', async () => {
  await assert.rejects(street.api.get('/cases'), e => e.status === 401)
  await assert.rejects(street.api.post('/sessions', { username: 'clerk', password: 'wrong' }), e => e.status === 401)
  const courier = new Client(street.url)
  await courier.signIn('courier', PASSWORD)
  const [c] = (await clerk.get('/cases')).cases
  await assert.rejects(courier.get('/cases/' + c.case_no), e => [403, 404].includes(e.status))
  await assert.rejects(courier.raw('GET', '/api/v1/documents/' + paper).then(r => { if (!r.ok) throw r }), e => [401, 403, 404].includes(e.status))
})
test('a case is followed only with its query code', async () => {
  const [c] = (await clerk.get('/cases')).cases
  await assert.rejects(street.api.get(`/track/${c.case_no}?code=ZZZZZZ`), e => [403, 404].includes(e.status))
})
test('an unknown call and a wrong method', async () => {
  await assert.rejects(street.api.get('/no-such-call'), e => e.status === 404)
  const res = await street.api.raw('DELETE', '/api/v1/items')
  assert.equal(res.status, 405)
  assert.ok(res.headers.get('allow'))
})
