// A disk that cannot be read: whoever asks is told that the storage failed, never that there is no such thing or that he may
// not see it. Afterwards everything is there, and nobody has lost his place on the live socket.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, PATIENT, Site, run, sleep, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const WebSocket = createRequire(resolve('shared/web/package.json'))('ws')
const B = process.env.B || 'build'
const dir = mkdtempSync(join(tmpdir(), 'doorstep-reads-'))
const flag = join(dir, 'unreadable')
const broken = { LD_PRELOAD: resolve(B, 'adversity.so'), ADVERSITY_READ: flag, ASAN_OPTIONS: 'verify_asan_link_order=0:detect_leaks=0' }
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const all = ['items', 'calendar'].flatMap(d => readdirSync(`schema/catalogue/${d}`).map(f => `schema/catalogue/${d}/${f}`))
const district = new Site(join(dir, 'd'), HUB, 'd')
let clerk, resident, filed, ticket, certificate

before(async () => {
  run(HUB, ['init', '--data', district.dir, '--site', '331002000000', '--name', '椒江区'])
  run(HUB, ['catalogue', 'import', '--data', district.dir, ...all])
  run(HUB, ['user', 'add', '--data', district.dir, '--username', 'clerk', '--name', '窗口甲', '--role', 'clerk', '--password-stdin'], PASSWORD + '\n')
  await district.start([], broken)
  ;[clerk, resident] = [new Client(district.url), new Client(district.url)]
  await clerk.signIn('clerk', PASSWORD)
  const item = await clerk.get('/items/residence-permit')
  const paper = await clerk.upload(png(), 'image/png', 'paper.png')
  filed = await clerk.post('/cases', filing(item, who, [paper], 'pickup'))
  certificate = (await clerk.post(`/cases/${filed.case_no}/actions`, { action: 'complete' })).certificate
  ticket = await resident.post('/tickets', { queue: 'A' })
}, PATIENT)
after(async () => {
  rmSync(flag, { force: true })
  await district.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** Started anew, so that nothing stands in memory; the readers have only seen who is signed in. */
async function cold() {
  rmSync(flag, { force: true })
  await district.stop()
  await district.start([], broken)
  for (let i = 0; i < 8; i++) await clerk.get('/sessions/current')
}
const calls = () => [
  ['a case', clerk, `/cases/${filed.case_no}`],
  ['a case, by its code', resident, `/track/${filed.case_no}?code=${filed.query_code}`],
  ['cases', clerk, '/cases'],
  ['a result', clerk, `/certificates/${certificate.number}`],
  ['a ticket', clerk, `/tickets/${ticket.id}`],
  ['a ticket, by its code', resident, `/tickets/${ticket.id}?code=${ticket.code}`],
  ['a queue', resident, '/queues/A'],
  ['repairs', clerk, '/repairs'],
]

test('each call says that the storage failed, and answers when it can be read again', PATIENT, async () => {
  for (const [what, client, path] of calls()) {
    await cold()
    writeFileSync(flag, '')
    const e = await client.get(path).then(() => null, x => x)
    assert.ok(e, `${what}: answered without a disk`)
    assert.deepEqual([e.status, e.body.code], [503, 'storage-failed'], `${what}: ${e.message}`)
    rmSync(flag)
    await client.get(path)
  }
})

test('what may not be decided by guess: an action is refused in words, and changes nothing', PATIENT, async () => {
  await cold()
  writeFileSync(flag, '')
  const e = await clerk.post(`/cases/${filed.case_no}/actions`, { action: 'note', text: '试' }).catch(x => x)
  assert.ok(e.status >= 500, e.message)
  rmSync(flag)
  assert.ok(!(await clerk.get('/cases/' + filed.case_no)).timeline.some(l => l.kind === 'case.noted'))
})

test('the live socket keeps a change that could not be looked up, and tells it afterwards', PATIENT, async () => {
  await cold()
  const said = []
  const ws = new WebSocket(district.url.replace('http', 'ws') + '/api/v1/live', 'doorstep.live.v1')
  ws.on('open', () => ws.send(JSON.stringify({ token: clerk.token })))
  ws.on('message', m => said.push(JSON.parse(m.toString())))
  await until('the hello', () => said.some(m => m.kind === 'hello'))
  const told = () => said.some(m => m.kind === 'changed' && m.id === filed.case_no)
  await until('a change that the disk fails to look up', async () => {
    said.length = 0
    await clerk.post(`/cases/${filed.case_no}/actions`, { action: 'note', text: '试' })
    writeFileSync(flag, '') // changes are gathered for 50 ms, then looked up
    await sleep(400)
    if (!told()) return true
    rmSync(flag) // it was looked up before
  })
  rmSync(flag)
  await until('the change', told)
  ws.close()
})
