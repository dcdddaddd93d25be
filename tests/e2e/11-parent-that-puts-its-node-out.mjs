// A parent that lets its node in and then puts it out for what it sends: the node says why, and asks more and more seldom;
// when the parent takes it again, all goes on.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { createServer } from 'node:https'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD, SITES, build, sleep, until } from '../../scripts/demo/world.mjs'
import { FRAME, Reader, short, u64, u8, varint } from './peer.mjs'

const { WebSocketServer } = createRequire(resolve('shared/web/package.json'))('ws')
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-put-out-'))
let w, agent

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  agent = new Client(w.east.url)
  await until('the agent', () => agent.signIn('agent.east', PASSWORD).then(() => true))
  await until('the link', async () => (await agent.get('/status')).link.state === 'up')
}, { timeout: 60000 })
after(async () => {
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

test('put out for what it withholds', { timeout: 90000 }, async t => {
  const link = w.links.east, keys = join(w.street.dir, 'keys'), dials = []
  const read = name => readFileSync(join(keys, name))
  const server = createServer({ key: read('site.key'), cert: read('site.crt'), ca: read('ca.crt'), requestCert: true })
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'doorstep.sync.v1' })
  sockets.on('connection', ws => {
    dials.push(Date.now())
    ws.on('message', m => {
      const r = new Reader(Buffer.from(m))
      if (r.u8() !== FRAME.HELLO) return
      r.bytes(4 + 2 + 24)
      const stream = Buffer.from(r.bytes(16))
      ws.send(Buffer.concat([u8(FRAME.HELLO), Buffer.from('DST1'), u8(2), u8(3), Buffer.from(SITES.street.site + SITES.east.site), Buffer.alloc(16, 7), stream, varint(0), u64(Date.now())]))
      ws.send(Buffer.concat([u8(FRAME.BYE), u8(9), short('an event without its personal part')]))
    })
    ws.on('error', () => {})
  })
  const end = () => { sockets.close(); server.closeAllConnections(); server.close() }
  t.after(end)
  link.close()
  await new Promise(ok => server.listen(link.port, '127.0.0.1', ok))
  await until('the node to dial', () => dials.length > 0)
  await sleep(12000)
  assert.ok(dials.length >= 3, `it asks again (${dials.length} times)`)
  assert.ok(dials.length <= 9, `it asked ${dials.length} times in 12 s`)
  const { link: is } = await agent.get('/status')
  assert.equal(is.state, 'down')
  assert.match(is.reason, /personal part/)
  end()
  w.links.east = await new link.constructor().open(() => w.street.syncPort, link.port)
  await until('the true parent', async () => (await agent.get('/status')).link.state === 'up', 60000)
})
