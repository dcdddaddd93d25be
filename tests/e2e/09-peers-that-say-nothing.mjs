// Peers that connect and say nothing, at each step of a connection: each is put out within the minute that protocol.md 8
// states, costs little memory while it stands, and nobody else minds. Likewise a parent that says nothing to its node.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { connect as connectPlain } from 'node:net'
import { connect, createServer } from 'node:tls'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, PATIENT, build, run, until } from '../../scripts/demo/world.mjs'
import { Peer } from './peer.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-silent-'))
const EACH = 40 // silent connections of each kind
const LIMIT_MS = 75000
const sockets = []
let w, peers, honest, dumb
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${w.street.child.pid}/status`, 'utf8'))[1]) / 1024

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  honest = new Client(w.west.url)
  await until('the agent', () => honest.signIn('agent.west', PASSWORD).then(() => true))
  await until('the honest link', async () => (await honest.get('/status')).link.state === 'up')
  peers = []
  for (const site of ['331002003903', '331002003904']) {
    const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', site, '--name', '试验社区']).split('\n').pop()
    peers.push(await new Peer(dir, site).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation))
  }
}, PATIENT)
after(async () => {
  for (const p of peers ?? []) p.close()
  for (const s of sockets) s.destroy()
  dumb?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** Resolves with the milliseconds until the other side ended it. */
function ended(socket) {
  const began = Date.now()
  sockets.push(socket)
  return new Promise(ok => {
    socket.on('error', () => {})
    socket.on('close', () => ok(Date.now() - began))
    socket.on('data', () => {})
  })
}

test('silence costs its own link and nothing else, for a minute at most', PATIENT, async () => {
  const port = w.street.syncPort
  const waits = {}
  const all = f => Promise.all(Array.from({ length: EACH }, f)).then(t => Math.max(...t))
  waits['before TLS'] = all(() => ended(connectPlain(port, '127.0.0.1')))
  waits['behind TLS'] = all(() => ended(connect({ port, host: '127.0.0.1', rejectUnauthorized: false, cert: peers[0].cert, key: peers[0].key })))
  const [mute, sleeper] = peers
  await mute.connect(port, { raw: true })
  waits['before HELLO'] = ended(mute.ws._socket)
  await sleeper.connect(port)
  sleeper.take = async () => 0 // hears, and answers nothing any more
  waits['behind HELLO'] = ended(sleeper.ws._socket)

  // a parent that takes the connection and then says nothing, to the node east
  const link = w.links.east
  const agent = new Client(w.east.url)
  await until('the agent of east', () => agent.signIn('agent.east', PASSWORD).then(() => true))
  link.close()
  let dials = 0
  const keys = join(w.street.dir, 'keys')
  dumb = createServer({ key: readFileSync(join(keys, 'site.key')), cert: readFileSync(join(keys, 'site.crt')) }, s => { dials++; sockets.push(s); s.on('error', () => {}) })
  await new Promise(ok => dumb.listen(link.port, '127.0.0.1', ok))
  await until('the node to dial', () => dials >= 1)
  const redial = until('the node to give up and dial again', () => dials >= 2, LIMIT_MS)

  const before = rss()
  assert.ok(before < 120, `the hub has ${before.toFixed(0)} MB with ${2 * EACH + 2} silent connections`)
  for (let i = 0; i < 20; i++) await honest.get('/status')
  assert.equal((await honest.get('/status')).link.state, 'up', 'the honest link stands')

  for (const [when, wait] of Object.entries(waits)) {
    const ms = await Promise.race([wait, new Promise(ok => setTimeout(ok, LIMIT_MS + 5000, Infinity).unref())])
    assert.ok(ms <= LIMIT_MS, `silent ${when}: ended after ${ms} ms`)
  }
  await redial
  const status = await agent.get('/status')
  assert.notEqual(status.link.state, 'up')
  assert.ok(status.link.reason, 'the node says why it has no link')
  assert.equal((await honest.get('/status')).link.state, 'up', 'the honest link stands to the end')
})
