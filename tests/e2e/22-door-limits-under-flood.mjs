// Floods, on loopback and bounded: silent connections, slow heads, unfinished bodies, silent live sockets, descriptors
// that run out. Each is held by a limit, and the next caller is answered meanwhile.
import { test, before, after, afterEach } from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFileSync, readdirSync } from 'node:fs'
import { execFileSync, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { HUB, PASSWORD, sleep, until } from '../../scripts/demo/world.mjs'
import { Client } from '../../scripts/demo/client.mjs'
import { hub, open, parse, raw } from './door.mjs'

const WebSocket = createRequire(resolve('shared/web/package.json'))('ws')
const open_all = []
const many = async (n, fn, at_once = 64) => {
  for (let i = 0; i < n; i += at_once)
    open_all.push(...(await Promise.all(Array.from({ length: Math.min(at_once, n - i) }, (_, k) => fn(i + k).catch(() => null)))).filter(Boolean))
}
const drop_all = () => { for (const s of open_all.splice(0)) (s.terminate ?? s.destroy).call(s) }

async function metrics(site) {
  const text = await (await fetch(site.url + '/metrics')).text()
  return Object.fromEntries(text.split('\n').filter(l => l && l[0] !== '#').map(l => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]))
}
const used = (m, name) => m[`doorstep_limit_used{name="${name}"}`]
const refusedBy = (m, name) => m[`doorstep_limit_refused_total{name="${name}"}`]

/** The slower of the middle ones of `n` health calls, each on a connection of its own, in ms. */
async function health(port, n = 21) {
  const times = []
  for (let i = 0; i < n; i++) {
    const t = performance.now()
    assert.equal((await raw(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).status, 200)
    times.push(performance.now() - t)
  }
  return times.sort((a, b) => a - b)[Math.floor(n * 0.8)]
}

let site
before(async () => {
  site = await hub('floods', { conf: 'header_seconds = 3\nlive_unsigned = 40\nlive_sign_in_seconds = 2\nlive_ping_seconds = 2\nbody_memory_bytes = 16777216\nbody_seconds = 5\n' })
}, { timeout: 60000 })
afterEach(drop_all)
after(() => site?.clean())

test('2,500 silent connections and slow heads leave /healthz in time, and give way', { timeout: 120000 }, async () => {
  const calm = await health(site.port)
  await many(1250, () => open(site.port))
  await many(1250, async () => { const s = await open(site.port); s.write('GET /healthz HTTP/1.1\r\nHost: x\r\nA: '); s.timer = setInterval(() => s.write('a'), 500); s.on('close', () => clearInterval(s.timer)); s.on('error', () => {}); return s })
  const loaded = await health(site.port)
  assert.ok(loaded < Math.max(100, 20 * calm), `${loaded.toFixed(1)} ms beside ${calm.toFixed(1)} ms`)
  const m = await metrics(site)
  assert.ok(used(m, 'connections') <= 512 + 8, `one client holds ${used(m, 'connections')} connections`)
  await until('the slow heads to be ended', async () => used(await metrics(site), 'connections') < 20, 15000, 500)
  drop_all()
})

test('a slow head is told 408, a silent connection just ends', { timeout: 30000 }, async () => {
  const [slow, silent] = [await open(site.port), await open(site.port)]
  slow.write('GET / HTTP/1.1\r\n')
  await Promise.all([slow.ended, silent.ended])
  assert.equal(parse(slow.text).status, 408)
  assert.equal(silent.text, '')
})

test('300 unfinished bodies of 900 KB stay within the memory for bodies, and others are heard', { timeout: 120000 }, async () => {
  const rss = async () => (await metrics(site))['process_resident_memory_bytes']
  const before_bytes = await rss()
  const piece = Buffer.alloc(900000, 32)
  await many(300, async () => {
    const s = await open(site.port)
    s.on('error', () => {})
    s.write(`POST /api/v1/cases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`)
    s.write(piece)
    return s
  })
  await sleep(500)
  const m = await metrics(site)
  assert.ok(used(m, 'body_memory_bytes') <= 16777216, `${used(m, 'body_memory_bytes')} bytes`)
  assert.ok(refusedBy(m, 'body_memory_bytes') > 0)
  const grown = await rss() - before_bytes
  const most = process.env.SAN ? 512 << 20 : 64 << 20 // a sanitizer keeps what was freed for a while
  assert.ok(grown < most, `resident memory grew by ${(grown / 1048576).toFixed(0)} MB`)
  const sign = JSON.stringify({ username: 'supervisor', password: PASSWORD })
  const a = await raw(site.port, `POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${sign.length}\r\n\r\n${sign}`)
  assert.equal(a.status, 201, 'a small body is taken meanwhile')
  await sleep(1200)
  const big = JSON.stringify({ username: 'x'.repeat(200000), password: 'x' })
  const b = await raw(site.port, `POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${big.length}\r\n\r\n${big}`)
  assert.equal(b.status, 401, 'a stalled body gives way to one that comes')
  const told = open_all.map(s => parse(s.text)).filter(Boolean)
  assert.ok(told.length > 100)
  for (const t of told) {
    assert.equal(t.status, 503)
    assert.ok(Number(t.headers['retry-after']) > 0)
    assert.equal(t.headers['content-type'], 'application/problem+json')
  }
  drop_all()
})

const live = (options = {}) => new Promise((ok, no) => {
  const ws = new WebSocket(`ws://127.0.0.1:${site.port}/api/v1/live`, 'doorstep.live.v1', options)
  ws.messages = []
  ws.on('message', m => ws.messages.push(JSON.parse(m)))
  ws.ended = new Promise(r => ws.on('close', (code, reason) => r({ code, reason: reason.toString() })))
  ws.on('open', () => ok(ws))
  ws.on('error', no)
})

test('600 silent live sockets do not keep a clerk out, and end with a close frame', { timeout: 60000 }, async () => {
  const token = (await site.api.post('/sessions', { username: 'supervisor', password: PASSWORD })).token
  const mine = await live()
  mine.send(JSON.stringify({ token }))
  await until('hello', () => mine.messages.some(m => m.kind === 'hello'))
  await many(600, () => live(), 100)
  const m = await metrics(site)
  assert.ok(used(m, 'live_unsigned') <= 40)
  const another = await live()
  another.send(JSON.stringify({ token }))
  await until('a second hello in the flood', () => another.messages.some(x => x.kind === 'hello'), 5000)
  const ends = await Promise.race([Promise.all(open_all.map(s => s.ended)), sleep(15000).then(() => null)])
  assert.ok(ends, 'the silent ones end')
  const codes = new Set(ends.map(e => e.code))
  assert.deepEqual([...codes].sort(), [1013, 4401], JSON.stringify([...codes]))
  assert.ok(ends.every(e => e.reason))
  assert.equal(mine.readyState, WebSocket.OPEN)
  mine.close(); another.close()
  assert.equal((await mine.ended).code, 1005)
  open_all.length = 0
})

test('a live socket is asked whether it is there, and ends when it does not answer', { timeout: 30000 }, async () => {
  const token = (await site.api.post('/sessions', { username: 'supervisor', password: PASSWORD })).token
  const [there, deaf] = [await live(), await live({ autoPong: false })]
  let pings = 0
  there.on('ping', () => pings++)
  for (const ws of [there, deaf]) ws.send(JSON.stringify({ token }))
  const end = await Promise.race([deaf.ended, sleep(12000)])
  assert.deepEqual(end, { code: 1001, reason: 'no answer to a ping' })
  assert.ok(pings >= 2, `${pings} pings`)
  assert.equal(there.readyState, WebSocket.OPEN)
  there.close()
})

test('the close code and its reason arrive: a wrong message, one too large, a frame that is none', { timeout: 30000 }, async () => {
  const end = async what => { const ws = await live(); ws.on('error', () => {}); what(ws); return ws.ended }
  assert.deepEqual(await end(ws => ws.send('nonsense')), { code: 1003, reason: 'one JSON object was expected' })
  assert.equal((await end(ws => ws.send(JSON.stringify({ a: 'x'.repeat(70000) })))).code, 1009)
  assert.deepEqual(await end(ws => ws.send(JSON.stringify({ token: 'no-such-token' }))), { code: 4401, reason: 'sign in first' })
  assert.equal((await end(ws => ws._socket.write(Buffer.from([0xff, 0x80, 0, 0, 0, 0])))).code, 1002)
})

test('a WebSocket is what the standard says it is', { timeout: 30000 }, async () => {
  const ask = (extra, key = 'dGhlIHNhbXBsZSBub25jZQ==') => raw(site.port, `GET /api/v1/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\n${extra}\r\n`)
  const good = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: other, doorstep.live.v1\r\n'
  const a = await ask(good)
  assert.equal(a.status, 101)
  assert.equal(a.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.equal(a.headers['sec-websocket-protocol'], 'doorstep.live.v1')
  assert.equal((await ask('Sec-WebSocket-Version: 8\r\n')).status, 426)
  assert.equal((await ask('Sec-WebSocket-Version: 8\r\n')).headers['sec-websocket-version'], '13')
  assert.equal((await ask('Sec-WebSocket-Version: 13\r\n')).status, 400, 'no subprotocol')
  assert.equal((await ask(good, 'short')).status, 400)
  assert.equal((await raw(site.port, 'GET /api/v1/live HTTP/1.1\r\nHost: x\r\n\r\n')).status, 426)
})

test('descriptors exhausted while it runs: the newcomer is told 503 or served, one line in five seconds', { timeout: 60000 }, async () => {
  const pid = site.child.pid
  const fds = readdirSync(`/proc/${pid}/fd`).length
  const lines = () => readFileSync(site.log, 'utf8').split('\n').filter(l => /area=net level=warn|level=warn area=net/.test(l)).length
  const logged = lines()
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${fds + 20}:${fds + 20}`])
  const started = Date.now()
  await many(120, () => open(site.port))
  const answers = []
  for (let i = 0; i < 20; i++) {
    answers.push((await raw(site.port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n').catch(e => ({ status: e.message }))).status)
    await sleep(100)
  }
  assert.ok(answers.every(s => s === 200 || s === 503), answers.join(' '))
  assert.ok(answers.includes(200), answers.join(' '))
  const five = Math.ceil((Date.now() - started) / 5000)
  assert.ok(lines() - logged >= 1 && lines() - logged <= five, `${lines() - logged} lines`)
  drop_all()
  await until('all to be well again', async () => (await health(site.port, 3)) < 1000)
})

test('descriptors exhausted: the door rests, says so seldom, and serves', { timeout: 60000 }, async () => {
  await site.stop()
  const args = ['run', '--data', site.dir, '--listen', '127.0.0.1:0', '--sync-listen', '127.0.0.1:0']
  const child = spawn('bash', ['-c', `ulimit -n 64; exec "$0" "$@"`, HUB, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = '', err = ''
  child.stdout.on('data', d => { out += d })
  child.stderr.on('data', d => { err += d })
  const gone = new Promise(r => child.once('exit', r))
  try {
    const port = await until('ready', () => Number(/ready http=(\d+)/.exec(out)?.[1]))
    await many(200, () => open(port))
    for (let i = 0; i < 20; i++) {
      await health(port, 3)
      await sleep(100)
    }
    const c = new Client(`http://127.0.0.1:${port}`)
    const path = await c.tusCreate(70, 'application/pdf', 'a.pdf')
    await c.tusPatch(path, 0, Buffer.from('%PDF-1.4' + ' '.repeat(62)))
    assert.ok((await c.tusHead(path)).digest, 'an upload passes')
    const lines = err.split('\n').filter(l => /area=net/.test(l))
    assert.ok(lines.length <= 4, `${lines.length} lines: ${lines.slice(0, 5).join('\n')}`)
  } finally {
    drop_all()
    child.kill()
    await gone
    await site.start()
  }
})
