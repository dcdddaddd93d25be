// A child written from protocol.md alone enrols, sends a thousand events and a paper, and receives its feed. Then
// peers that lie, flood or say nothing right: each costs its own link and nothing else.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:tls'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, PATIENT, SITES, build, run, sleep, until } from '../../scripts/demo/world.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { FRAME, Peer, caseNumber, encodeEvent, short, u64, u8, varint } from './peer.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-peer-'))
const SITE = '331002003903'
let w, peer, clerk, honest
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${w.street.child.pid}/status`, 'utf8'))[1]) / 1024

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  clerk = new Client(w.street.url)
  await until('the clerk', () => clerk.signIn('clerk', PASSWORD).then(() => true))
  honest = new Client(w.east.url)
  await until('the agent', () => honest.signIn('agent.east', PASSWORD).then(() => true))
  const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区']).split('\n').pop()
  peer = await new Peer(dir, SITE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
}, PATIENT)
after(async () => {
  peer?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const filed = (no, documents = []) => ['case.filed/1', no, {
  item: 'birth-registration-first', item_version: 1, item_name: '一孩生育登记', decided_at: ['community', 'street'], custodian: SITE, community: SITE, state: 'submitted',
}, {
  salt: randomBytes(16),
  personal: JSON.stringify({ applicant: { id_number: '339900198506130110', name: '周大海' }, delivery: { method: 'pickup' }, materials: [{ code: 'id-card', documents }] }),
}]
/** Of the numbers that were leased to this site: others would be overruled. */
let first = 0
const number = (i, day = '260105') => caseNumber('331002003', day, first + i)

test('a thousand events, a paper, and the feed', PATIENT, async () => {
  const paper = png(900, 700)
  const digest = createHash('sha256').update(paper).digest()
  peer.documents = new Map([[digest.toString('hex'), paper]])
  await peer.connect(w.street.syncPort)
  const block = await until('its numbers', () => peer.received.find(e => e.kind === 'block.leased/1' && JSON.parse(e.record).holder === SITE && JSON.parse(e.record).kind === 'case'))
  first = JSON.parse(block.record).first
  // with and without a personal part, what a later version may add, a signature of their own
  for (let i = 0; i < 1000; i++) {
    const [kind, no, record, personal] = filed(number(i), i === 7 ? [{ digest: 'sha256:' + digest.toString('hex'), media_type: 'image/png', size: paper.length }] : [])
    peer.event(kind, no, record, { ...i % 2 ? personal : {}, ...i % 5 === 3 ? { more: 'of version 9' } : {}, ...i % 7 === 1 ? { signed: true } : {} })
  }
  for (let i = 0; i < 1000; i += 250) await peer.sendEvents(i, 250)
  await until('the acknowledgement', () => peer.acked === 1000)
  peer.sendHead()
  await until('the paper', () => peer.frames.some(f => f.kind === FRAME.HAVE && f.digest.equals(digest)))
  await until('the feed', () => peer.received.some(e => e.kind === 'item.published/1') && peer.received.some(e => e.kind === 'block.leased/1'))
  const held = w.street.status().origins.find(o => o.origin === SITE)
  assert.equal(held.seq, 1000)
  await until('the witnessed head', () => w.street.status().origins.find(o => o.origin === SITE).signed_seq === 1000)
  const c = await clerk.get('/cases/' + number(7))
  assert.equal(c.state, 'submitted')
  const doc = c.materials.flatMap(m => m.documents)[0]
  assert.equal(doc.state, 'here')
  run(HUB, ['verify', '--data', w.street.dir])
  peer.close()
})

test('a clock that is set while the link stands is seen at the hub', { timeout: 30000 }, async () => {
  const skew = () => w.street.status().children.find(c => c.site === SITE)
  await peer.connect(w.street.syncPort, { rest: 'what a later version adds', speaks: [2, 9] })
  assert.equal(peer.version, 3)
  peer.ahead_ms = 10 * 60000
  peer.askClock()
  await until('the clock', () => peer.frames.some(f => f.kind === FRAME.CLOCK && Math.abs(f.wall - Date.now()) < 5000))
  await until('the skew', () => Math.abs(skew().skew_ms - 600000) < 5000)
  assert.equal(skew().clock_differs, true)
  assert.match(run(HUB, ['status', '--data', w.street.dir]), /its clock is (59|60)\d s ahead of this site's/)
  peer.ahead_ms = 0
  peer.askClock()
  await until('the right time', () => skew().clock_differs === false)
  peer.close()
  await peer.connect(w.street.syncPort, { speaks: [1, 2] })
  assert.equal(peer.version, 2)
  peer.askClock()
  await until('the clock without a wall', () => peer.frames.some(f => f.kind === FRAME.CLOCK && f.wall === undefined))
  peer.close()
})

test('what was acknowledged is remembered, and sent again changes nothing', PATIENT, async () => {
  await peer.connect(w.street.syncPort)
  assert.equal(peer.acked, 1000, 'the hub says what it holds')
  peer.close()
  peer.stream = randomBytes(16) // a new outbox: everything from its beginning
  await peer.connect(w.street.syncPort)
  for (let i = 0; i < 1000; i += 500) await peer.sendEvents(i, 500)
  await until('the acknowledgement', () => peer.acked === 1000)
  assert.equal(w.street.status().origins.find(o => o.origin === SITE).seq, 1000)
  peer.close()
})

/** One bad peer: its link ends, and the hub, the honest node and the memory do not mind. */
function hostile(name, act, expect = {}) {
  test(`hostile: ${name}`, PATIENT, async () => {
    const seq = peer.seq
    const head = peer.head
    await peer.connect(w.street.syncPort, expect.connect ?? { held: 0 }).catch(e => { if (!expect.refused) throw e })
    if (!expect.refused) await act()
    await until('the link to end', () => peer.closed, 50000) // before a minute of silence would end it
    await peer.busy
    if (expect.bye) assert.equal(peer.bye?.code, expect.bye, JSON.stringify(peer.bye ?? peer.closed))
    if (expect.says) assert.match(`${peer.bye?.reason} ${peer.closed.reason}`, expect.says)
    peer.bye = null
    peer.seq = seq
    peer.head = head
    peer.out.length = seq
    assert.equal(w.street.status().origins.find(o => o.origin === SITE).seq, 1000, 'nothing was taken')
    await until('the honest link', async () => (await honest.get('/status')).link.state === 'up')
    assert.ok((await clerk.get('/cases?limit=1')).cases.length)
    assert.ok(rss() < 120, `the hub has ${rss().toFixed(0)} MB`)
  })
}

hostile('a frame of two megabytes', () => peer.send(FRAME.PING, Buffer.alloc(2 << 20)))
hostile('a frame of no kind', () => peer.send(99, Buffer.from('x')), { bye: 1 })
hostile('bytes behind the end of a frame', () => peer.send(FRAME.ACK, varint(1), Buffer.from('more')), { bye: 1 })
hostile('text instead of bytes', () => peer.ws.send('hello'))
hostile('something before hello', () => peer.send(FRAME.PING, u64(1)), { connect: { raw: true }, bye: 1 })
hostile('a hello of another site', () => peer.hello({ site: SITES.east.site }), { connect: { raw: true }, bye: 1 })
hostile('versions of a later time', () => peer.hello({ speaks: [8, 9] }), { connect: { raw: true }, bye: 2, says: /the program of this side is too old/ })
hostile('a version that is not kept', () => peer.hello({ speaks: [1, 1] }), { connect: { raw: true }, bye: 2, says: /the program of the other is too old/ })
hostile('versions that are none', () => peer.hello({ speaks: [3, 2] }), { connect: { raw: true }, bye: 1 })
hostile('a hello without an end', () => peer.hello({ rest: Buffer.alloc(1025) }), { connect: { raw: true }, bye: 1 })
hostile('a clock in the words of another version', async () => {
  peer.version = 2
  peer.askClock()
}, { bye: 1 })
hostile('a deflate bomb', async () => {
  peer.out.push(Buffer.alloc(60 << 20))
  await peer.sendEvents(1000, 1, { raw_bytes: 1000 })
}, { bye: 1 })
hostile('a batch larger than it may be', async () => {
  peer.out.push(Buffer.alloc(1000))
  await peer.sendEvents(1000, 1, { raw_bytes: 1 << 20 })
}, { bye: 1 })
hostile("an event of another community's", async () => {
  peer.out.push(encodeEvent({ origin: SITES.east.site, seq: 99, hlc: 1n << 40n, kind: 'case.noted/1', dossier: number(1), street: peer.parent, actor: '', record: '{}' }))
  await peer.sendEvents(1000, 1)
}, { bye: 1 })
hostile('a gap in its chain', async () => {
  peer.seq += 5
  peer.event('case.noted/1', number(1), {})
  await peer.sendEvents(1000, 1)
}, { bye: 1 })
hostile('an event without its personal part', async () => {
  peer.event('case.noted/1', number(1), {}, { digest: randomBytes(32) })
  await peer.sendEvents(1000, 1)
}, { bye: 9, says: /personal part/ })
hostile('the same behind an honest one in one batch', async () => {
  peer.event('case.noted/1', number(1), {})
  peer.event('case.noted/1', number(1), {}, { digest: randomBytes(32) })
  await peer.sendEvents(1000, 2)
}, { bye: 9 })
hostile('a flag that nobody knows', async () => {
  peer.event('case.noted/1', number(1), {}, { flags: 8 })
  await peer.sendEvents(1000, 1)
}, { bye: 1 })
hostile('a personal part that its flags deny', async () => {
  peer.event('case.noted/1', number(1), {}, { flags: 0, salt: randomBytes(16), personal: '{}' })
  await peer.sendEvents(1000, 1)
}, { bye: 1 })
hostile('an event that is none', async () => {
  peer.out.push(Buffer.from('no event at all'))
  await peer.sendEvents(1000, 1)
}, { bye: 1 })
hostile('a head with a false signature', () => peer.sendHead(1000, peer.head, randomBytes(64)), { bye: 7 })
hostile('a head of another past', () => peer.sendHead(1000, randomBytes(32)), { bye: 7 })
hostile('an acknowledgement from the future', () => peer.send(FRAME.ACK, varint(1e9)), { bye: 1 })
hostile('a chunk that nobody wants', () => peer.send(FRAME.CHUNK, randomBytes(32), varint(0), varint(10), randomBytes(10)), { bye: 1 })
hostile('the past of another site', () => peer.send(FRAME.RECALL, short(SITES.east.site), varint(1), randomBytes(32)))
hostile('random bytes', () => peer.ws.send(randomBytes(5000)), { bye: 1 })
hostile('ten thousand wants', async () => {
  for (let i = 0; i < 10000; i++) peer.send(FRAME.WANT, randomBytes(32), varint(0), varint(262144))
  await until('answers', () => peer.closed || peer.frames.filter(f => f.kind === FRAME.NONE).length > 100)
  peer.close()
})
// What comes behind the end of a link must not be answered with a reset, which would cost the peer the reason.
test('a peer that is sending when its link ends still hears why', PATIENT, async () => {
  await peer.connect(w.street.syncPort)
  peer.ws._socket.pause()
  peer.send(99, Buffer.from('x'))
  for (let i = 0; i < 20; i++) {
    await sleep(5)
    peer.send(FRAME.PING, u64(i))
  }
  peer.ws._socket.resume()
  await until('the link to end', () => peer.closed)
  await peer.busy
  assert.equal(peer.bye?.code, 1)
  assert.deepEqual(peer.closed, { code: 1000, reason: peer.bye.reason })
  peer.bye = null
})
hostile('a certificate that it made itself', () => {}, {
  refused: true, get connect() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = privateKey.export({ type: 'sec1', format: 'pem' })
    writeFileSync(join(dir, 'own.key'), key)
    const cert = execFileSync('openssl', ['req', '-new', '-x509', '-key', join(dir, 'own.key'), '-subj', `/CN=${SITE}`, '-days', '2'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    return { tls: { key, cert } }
  },
})
hostile('no certificate at all', () => {}, { refused: true, connect: { tls: { key: undefined, cert: undefined } } })

test('a parent of another authority gets no word from a node', PATIENT, async () => {
  const link = w.links.east
  const key = readFileSync(join(dir, 'own.key'))
  const cert = execFileSync('openssl', ['req', '-new', '-x509', '-key', join(dir, 'own.key'), '-subj', `/CN=${SITES.street.site}`, '-days', '2'], { stdio: ['ignore', 'pipe', 'ignore'] })
  let words = 0
  let dials = 0
  link.close()
  const fake = createServer({ key, cert }, s => s.on('data', () => { words++ }))
  fake.on('tlsClientError', () => { dials++ })
  await new Promise(ok => fake.listen(link.port, '127.0.0.1', ok))
  await until('the node to dial', () => dials >= 2)
  assert.equal(words, 0)
  assert.notEqual((await honest.get('/status')).link.state, 'up')
  await new Promise(ok => fake.close(ok))
  w.links.east = await new link.constructor().open(() => w.street.syncPort, link.port)
  await until('the true parent', async () => (await honest.get('/status')).link.state === 'up')
})

test('garbage instead of a paper is dropped, and the paper stays wanted', PATIENT, async () => {
  const digest = randomBytes(32)
  peer.documents = new Map([[digest.toString('hex'), randomBytes(5000)]])
  await peer.connect(w.street.syncPort)
  peer.event(...filed(number(0, '260106'), [{ digest: 'sha256:' + digest.toString('hex'), media_type: 'image/png', size: 5000 }]))
  await peer.sendEvents(1000, 1)
  await until('the link to end', () => peer.closed, 50000)
  const c = await clerk.get('/cases/' + number(0, '260106'))
  assert.equal(c.materials.flatMap(m => m.documents)[0].state, 'wanted')
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})
