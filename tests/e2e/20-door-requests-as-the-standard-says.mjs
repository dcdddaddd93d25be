// What a request is, is decided by us and by RFC 9112: bodies of unknown length are read, an upgrade that is not
// offered is passed over, what two readers could take for two requests is refused, and 404 and 405 come before 413.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { request } from 'node:http'
import { execFileSync } from 'node:child_process'
import { PASSWORD } from '../../scripts/demo/world.mjs'
import { hub, open, parse, raw } from './door.mjs'

let site, port
before(async () => { site = await hub('requests'); port = site.port }, { timeout: 60000 })
after(() => site?.clean())

const sign = JSON.stringify({ username: 'supervisor', password: PASSWORD })
const post = (path, extra, body) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}\r\n${body}`

test('an upgrade to h2c that comes by itself is passed over, and the first POST is answered', async () => {
  const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n'
  const a = await raw(port, post('/api/v1/sessions', `${h2c}Content-Length: ${sign.length}\r\n`, sign))
  assert.equal(a.status, 201, a.body)
  const got = execFileSync('curl', ['-s', '--http2', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', `${site.url}/healthz`]).toString()
  assert.equal(got, '200 1.1')
})
test('a body of unknown length is read, in whatever pieces it comes', async () => {
  const pieces = [sign.slice(0, 7), sign.slice(7, 8), sign.slice(8)].map(p => `${p.length.toString(16)};x=y\r\n${p}\r\n`).join('') + '0\r\nTrailer: z\r\n\r\n'
  const bytes = post('/api/v1/sessions', 'Transfer-Encoding: chunked\r\n', pieces)
  assert.equal((await raw(port, bytes)).status, 201)
  const s = await open(port)
  for (const c of bytes) { s.write(c); await new Promise(r => setImmediate(r)) }
  for (let i = 0; i < 400 && !parse(s.text); i++) await new Promise(r => setTimeout(r, 10))
  assert.equal(parse(s.text).status, 201, 'byte by byte')
  s.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  s.text = ''
  for (let i = 0; i < 400 && !parse(s.text); i++) await new Promise(r => setTimeout(r, 10))
  assert.equal(parse(s.text).body, 'ok\n', 'and the connection goes on')
  s.destroy()
})
test('broken chunks are 400; too much in chunks is 413', async () => {
  assert.equal((await raw(port, post('/api/v1/sessions', 'Transfer-Encoding: chunked\r\n', 'zz\r\n'))).status, 400)
  const big = 'a'.repeat(65536)
  const many = `10000\r\n${big}\r\n`.repeat(20) + '0\r\n\r\n'
  assert.equal((await raw(port, post('/api/v1/sessions', 'Transfer-Encoding: chunked\r\n', many))).status, 413)
})
test('a body of a megabyte that waits for "100 Continue"', async () => {
  const q = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/sessions', headers: { 'Content-Type': 'application/json', Expect: '100-continue', 'Content-Length': sign.length } })
  const status = await new Promise((ok, no) => {
    q.on('continue', () => q.end(sign))
    q.on('response', r => ok(r.statusCode))
    q.on('error', no)
    q.flushHeaders()
  })
  assert.equal(status, 201)
})
test('forty calls at once, some upgrading, all succeed', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => raw(port, i % 2
    ? 'GET /api/v1/items HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n'
    : 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')))
  assert.deepEqual(all.map(a => a.status), Array(40).fill(200))
})
test('two requests in one packet get two answers, in order', async () => {
  const s = await open(port)
  s.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await s.ended
  const one = parse(s.text)
  assert.equal(one.body, 'ok\n')
  assert.equal(parse(one.rest).body, 'ready\n')
})

const refused = [
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'Host'],
  ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'Host'],
  ['a NUL in a path', 'GET /healthz%00.html HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'path'],
  ['a NUL in a query', 'GET /api/v1/items?q=%00 HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'path'],
  ['a control character in a path', 'GET /a%0d%0ab HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'path'],
  ['half an escape', 'GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'path'],
  ['two lengths that differ', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}', 400, 'Content-Length'],
  ['a length that is none', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2x\r\n\r\n{}', 400, 'Content-Length'],
  ['a negative length', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n', 400, 'Content-Length'],
  ['a length beside chunks', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'Content-Length'],
  ['an unknown coding', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n', 501, 'Transfer-Encoding'],
  ['a header that is none', 'GET /healthz HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', 400, 'header'],
  ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400, 'header'],
  ['a blank before the colon', 'GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'header'],
  ['no request', 'hello\r\n\r\n', 400, 'request line'],
  ['HTTP/2 at once', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP version'],
  ['headers of a megabyte', `GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(1 << 20)}\r\n\r\n`, 431, 'header'],
  ['a hundred headers', `GET /healthz HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 100 }, (_, i) => `A${i}: b\r\n`).join('')}\r\n`, 431, 'header'],
  ['another expectation', 'POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: coffee\r\n\r\n{}', 417, 'Expect'],
]
for (const [name, bytes, status, field] of refused)
  test(`refused: ${name}`, async () => {
    const a = await raw(port, bytes)
    assert.equal(a.status, status, a.body)
    assert.equal(a.headers['content-type'], 'application/problem+json')
    assert.equal(a.headers.connection, 'close')
    const p = JSON.parse(a.body)
    assert.equal(p.field, field)
    assert.ok(p.detail && p.title && p.code)
  })
test('the two languages of a refusal', async () => {
  const say = l => raw(port, `GET /%00 HTTP/1.1\r\nHost: x\r\nAccept-Language: ${l}\r\n\r\n`)
  assert.match((await say('en')).body, /cannot be read/)
  assert.match((await say('zh-CN')).body, /网址有误/)
})

test('an unknown path or method with a body is 404 or 405 with Allow, not 413', async () => {
  const body = 'x'.repeat(3 << 20)
  assert.equal((await raw(port, post('/api/v1/nothing', `Content-Length: ${body.length}\r\n`, body))).status, 404)
  const a = await raw(port, `PUT /api/v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345`)
  assert.equal(a.status, 405)
  assert.equal(a.headers.allow, 'GET, HEAD, OPTIONS, POST')
  assert.equal((await raw(port, 'BREW /api/v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345')).status, 405)
  assert.equal((await raw(port, 'POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345')).status, 405)
})
test('OPTIONS says what may be asked', async () => {
  const a = await raw(port, 'OPTIONS /api/v1/items HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal(a.status, 204)
  assert.equal(a.headers.allow, 'GET, HEAD, OPTIONS, POST')
  assert.equal((await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n')).status, 204)
  assert.equal((await raw(port, 'OPTIONS /api/v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n')).status, 404)
})
test('a person who mistypes an address gets a page, a program gets a problem', async () => {
  const page = await raw(port, 'GET /nowhere HTTP/1.1\r\nHost: x\r\nAccept: text/html,*/*\r\n\r\n')
  assert.equal(page.status, 404)
  assert.match(page.headers['content-type'], /^text\/html/)
  assert.match(page.body, /没有这个页面[\s\S]*href="\/"/)
  const problem = await raw(port, 'GET /nowhere HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n')
  assert.equal(problem.headers['content-type'], 'application/problem+json')
})
test('HTTP/1.0 is answered, and ends', async () => {
  const s = await open(port)
  s.write('GET /healthz HTTP/1.0\r\n\r\n')
  await s.ended
  assert.equal(parse(s.text).body, 'ok\n')
})
test('Date, and a HEAD without a body', async () => {
  const a = await raw(port, 'HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n', { head: true })
  assert.equal(a.headers['content-length'], '3')
  assert.ok(Math.abs(Date.parse(a.headers.date) - Date.now()) < 5000)
})
test('an answer arrives although the sender does not listen yet', async () => {
  const s = createConnection(port, '127.0.0.1')
  s.pause()
  s.on('error', () => {})
  await new Promise(r => s.once('connect', r))
  s.write('POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n')
  for (let i = 0; i < 40; i++) { s.write(Buffer.alloc(8192)); await new Promise(r => setTimeout(r, 2)) }
  let text = ''
  s.on('data', d => { text += d })
  s.resume()
  for (let i = 0; i < 300 && !text.includes('\r\n\r\n'); i++) await new Promise(r => setTimeout(r, 10))
  assert.match(text, /^HTTP\/1.1 413 /)
  s.destroy()
})
