// What browsers, tools and upload clients ask of a server: codings that were asked for and no others, Location, the
// guards of a page, icons and well-known files, metrics that a checker reads, tus as it says; and uploads that end.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PASSWORD, sleep, until } from '../../scripts/demo/world.mjs'
import { Client } from '../../scripts/demo/client.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { hub, raw } from './door.mjs'

let site, clerk
const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
const get = (path, extra = '', method = 'GET', head = false) => raw(site.port, `${method} ${path} HTTP/1.1\r\nHost: x:1\r\n${extra}\r\n`, { head })
before(async () => {
  site = await hub('clients', { users: [['clerk', 'clerk']], catalogue: true, conf: 'uploads_per_client = 12\nupload_bytes = 30000000\n' })
  clerk = new Client(site.url)
  await clerk.signIn('clerk', PASSWORD)
}, { timeout: 60000 })
after(() => site?.clean())

test('lists are compressed for those who take it, and for nobody else', async () => {
  const plain = await get('/api/v1/items')
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.equal(plain.headers.vary, 'Accept-Encoding')
  const res = await fetch(site.url + '/api/v1/items', { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(res.headers.get('content-encoding'), 'gzip')
  assert.equal(JSON.stringify(await res.json()), JSON.stringify(JSON.parse(plain.body)))
  const packed = await raw(site.port, 'GET /api/v1/items HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n')
  assert.ok(Number(packed.headers['content-length']) < Buffer.byteLength(plain.body) / 2)
  assert.match(packed.headers.etag, /^W\//)
  const again = await get('/api/v1/items', `Accept-Encoding: gzip\r\nIf-None-Match: ${packed.headers.etag}\r\n`)
  assert.equal(again.status, 304)
  assert.equal((await get('/api/v1/items', 'Accept-Encoding: gzip;q=0, identity\r\n')).headers['content-encoding'], undefined)
})
test('pages come as they were asked for', async () => {
  const plain = await get('/', 'Accept-Encoding: identity\r\n')
  assert.equal(plain.status, 200)
  assert.equal(plain.headers['content-encoding'], undefined)
  assert.match(plain.body, /<html/i)
  const gz = await fetch(site.url + '/', { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(gz.headers.get('content-encoding'), 'gzip')
  assert.equal(await gz.text(), plain.body)
  assert.notEqual(gz.headers.get('etag'), plain.headers.etag, 'each coding has its tag')
})
test('what was made says where it is', async () => {
  const item = await clerk.get('/items/birth-registration-first')
  const paper = await clerk.upload(png(), 'image/png', 'paper.png')
  const res = await clerk.raw('POST', '/api/v1/cases', { body: JSON.stringify(filing(item, who, [paper], 'pickup')), headers: { 'Content-Type': 'application/json' } })
  const made = await res.json()
  assert.equal(res.headers.get('location'), `/api/v1/cases/${made.case_no}`)
  assert.equal((await clerk.raw('GET', res.headers.get('location'))).status, 200)
})
test('the guards of every answer', async () => {
  for (const path of ['/', '/api/v1/items', '/api/v1/nothing', '/healthz']) {
    const a = await get(path)
    assert.equal(a.headers['cross-origin-opener-policy'], 'same-origin', path)
    assert.equal(a.headers['cross-origin-resource-policy'], 'same-origin')
    assert.match(a.headers['permissions-policy'], /geolocation=\(\)/)
    assert.equal(a.headers['x-content-type-options'], 'nosniff')
    assert.ok(a.headers.date && a.headers['content-security-policy'])
  }
})
test('icon, robots and security.txt', async () => {
  const icon = Buffer.from(await (await fetch(site.url + '/favicon.ico')).arrayBuffer())
  assert.equal(icon.readUInt32LE(0), 0x00010000)
  assert.equal(icon.length, icon.readUInt32LE(14) + icon.readUInt32LE(18))
  assert.match((await get('/robots.txt')).body, /^User-agent: \*\nDisallow: \/api\//)
  const text = (await get('/.well-known/security.txt')).body
  assert.match(text, /^Contact: http:\/\/x:1\/$/m)
  const ends = Date.parse(/^Expires: (.*)$/m.exec(text)[1])
  assert.ok(ends > Date.now() && ends <= Date.now() + 366 * 86400000)
  writeFileSync(join(site.dir, 'security.txt'), 'Contact: mailto:office@example.org\nExpires: 2030-01-01T00:00:00Z\n')
  assert.match((await get('/.well-known/security.txt')).body, /mailto:office@example\.org/)
})
test('metrics: limits, a histogram that adds up, what was built', async () => {
  const text = (await get('/metrics')).body
  assert.match(text, /^doorstep_build_info\{commit="[^"]+",compiler="[^"]+"\} 1$/m)
  assert.match(text, /^doorstep_limit\{name="uploads"\} \d+$/m)
  const buckets = [...text.matchAll(/^doorstep_http_seconds_bucket\{le="([^"]+)"\} (\d+)$/mg)].map(m => Number(m[2]))
  assert.equal(buckets.length, 13)
  assert.deepEqual(buckets, [...buckets].sort((a, b) => a - b))
  assert.equal(buckets.at(-1), Number(/^doorstep_http_seconds_count (\d+)$/m.exec(text)[1]))
  const names = [...text.matchAll(/^# TYPE (\S+) /mg)].map(m => m[1])
  assert.equal(new Set(names).size, names.length, 'each once')
})
test('tus: POST that says PATCH is a PATCH', async () => {
  const path = await clerk.tusCreate(20, 'application/pdf', 'a.pdf')
  const tus = 'Tus-Resumable: 1.0.0\r\nX-HTTP-Method-Override: '
  const a = await raw(site.port, `POST ${path} HTTP/1.1\r\nHost: x\r\n${tus}PATCH\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 20\r\n\r\n%PDF-1.4 01234567890`)
  assert.equal(a.status, 204, a.body)
  assert.equal(a.headers['upload-offset'], '20')
  assert.equal((await raw(site.port, `POST ${path} HTTP/1.1\r\nHost: x\r\n${tus}DELETE\r\nContent-Length: 0\r\n\r\n`)).status, 204)
  assert.equal((await raw(site.port, `POST ${path} HTTP/1.1\r\nHost: x\r\n${tus}BREW\r\nContent-Length: 3\r\n\r\nabc`)).status, 405)
  assert.equal((await raw(site.port, `POST ${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Length: 3\r\n\r\nabc`)).status, 405)
})
test('tus: a piece in chunks, of unknown length', async () => {
  const path = await clerk.tusCreate(20, 'application/pdf', 'b.pdf')
  const a = await raw(site.port, `PATCH ${path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n%PDF-1.4\r\nc\r\n 01234567890\r\n0\r\n\r\n`)
  assert.equal(a.status, 204, a.body)
  assert.ok(a.headers['doorstep-digest'])
})
test('a client begins so many uploads in a day, and all together hold so many bytes', async () => {
  const begin = size => raw(site.port, `POST /api/v1/uploads HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Length: ${size}\r\nContent-Length: 0\r\n\r\n`)
  const big = await begin(29900000)
  assert.equal(big.status, 201)
  const full = await begin(29900000)
  assert.equal(full.status, 503, full.body)
  assert.ok(full.headers['retry-after'])
  const seen = []
  for (let i = 0; i < 12; i++) seen.push((await begin(10)).status)
  assert.ok(seen.includes(201) && seen.at(-1) === 429, seen.join(' '))
  const ended = await raw(site.port, `DELETE ${big.headers.location} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n\r\n`)
  assert.equal(ended.status, 204)
  const m = await (await fetch(site.url + '/metrics')).text()
  assert.ok(Number(/doorstep_limit_used\{name="upload_bytes"\} (\d+)/.exec(m)[1]) < 1000000)
})
test('a paper that no case names is gone after a day, one that a case names stays', { timeout: 60000 }, async () => {
  await site.stop()
  await site.start() // the day's uploads of this client are counted in memory
  clerk = new Client(site.url)
  await clerk.signIn('clerk', PASSWORD)
  const item = await clerk.get('/items/birth-registration-first')
  const named = await clerk.upload(png(), 'image/png', 'named.png')
  await clerk.post('/cases', filing(item, who, [named], 'pickup'))
  const lone = await clerk.upload(Buffer.from('%PDF-1.4 nobody names this paper'), 'application/pdf', 'lone.pdf')
  const blob = d => { const h = d.slice(7); return join(site.dir, 'blobs', h.slice(0, 2), h) }
  assert.ok(existsSync(blob(named)) && existsSync(blob(lone)), readdirSync(join(site.dir, 'blobs')).join(' '))
  await site.stop()
  await site.start([], { LD_PRELOAD: resolve(`${process.env.B || 'build'}/adversity.so`), ADVERSITY_CLOCK: String(25 * 3600), ASAN_OPTIONS: 'verify_asan_link_order=0:detect_leaks=0' })
  await until('the paper to go', () => !existsSync(blob(lone)), 20000)
  await sleep(500)
  assert.ok(existsSync(blob(named)), 'the case has its paper')
  const m = await (await fetch(site.url + '/metrics')).text()
  assert.match(m, /doorstep_limit_used\{name="uploads"\} 0\n/)
})
