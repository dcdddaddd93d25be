// A certificate that has run out, one of another street's community, one of another district: none of them gets a
// link, the honest ones do not mind, and a node whose parent shows the wrong papers says so in words for its operator.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:tls'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, PATIENT, SITES, build, run, until } from '../../scripts/demo/world.mjs'
import { Peer } from './peer.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-certificates-'))
const SITE = '331002003903'
const ssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()
let w, peer, honest

before(async () => {
  w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')] })
  honest = new Client(w.east.url)
  await until('the agent', () => honest.signIn('agent.east', PASSWORD).then(() => true))
  const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区']).split('\n').pop()
  peer = await new Peer(dir, SITE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
  await until('the honest link', async () => (await honest.get('/status')).link.state === 'up')
}, PATIENT)
after(async () => {
  peer?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** A certificate of `cn` for the peer's key, signed by a hub's own key; days: from now, or [from, until] in the past. */
function sign(hub, cn, days) {
  const at = n => join(dir, n)
  writeFileSync(at('peer.key'), peer.key)
  ssl('req', '-new', '-key', at('peer.key'), '-subj', `/CN=${cn}`, '-out', at('csr'))
  writeFileSync(at('index'), '')
  writeFileSync(at('serial'), '0' + Math.floor(Math.random() * 1e9).toString(16).padStart(9, '0'))
  writeFileSync(at('ca.cnf'), `[ca]\ndefault_ca=x\n[x]\ndatabase=${at('index')}\nserial=${at('serial')}\nnew_certs_dir=${dir}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n`)
  const stamp = d => new Date(Date.now() + d * 86400000).toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'
  ssl('ca', '-batch', '-config', at('ca.cnf'), '-cert', join(hub.dir, 'keys/site.crt'), '-keyfile', join(hub.dir, 'keys/site.key'),
    '-in', at('csr'), '-out', at('crt'), '-notext', '-startdate', stamp(days[0]), '-enddate', stamp(days[1]))
  return readFileSync(at('crt'), 'utf8') + readFileSync(join(hub.dir, 'keys/site.crt'), 'utf8')
}

async function refused(cert, log = null) {
  await assert.rejects(peer.connect(w.street.syncPort, { tls: { cert } }))
  await until('the link to end', () => peer.closed)
  if (log) await until('a line in the log', () => log.test(readFileSync(w.street.log, 'utf8')))
  assert.equal((await honest.get('/status')).link.state, 'up', 'the honest link stands')
}

test('the peer is welcome with the certificate that it was given', PATIENT, async () => {
  await peer.connect(w.street.syncPort)
  peer.close()
  await peer.connect(w.street.syncPort, { tls: { cert: sign(w.street, SITE, [-1, 10]) } }) // and with one made like the bad ones below
  peer.close()
})

test('a certificate that has run out', PATIENT, () => refused(sign(w.street, SITE, [-400, -1])))
test('a certificate that is not valid yet', PATIENT, () => refused(sign(w.street, SITE, [5, 400])))
test("a certificate of another street's community", PATIENT, () => refused(sign(w.street, '331002004901', [-1, 10]), /link=refused certificate=331002004901 reason=/))
test("the street's own name", PATIENT, () => refused(sign(w.street, SITES.street.site, [-1, 10])))

test('a certificate that was replaced by a newer one, also while its link stands', PATIENT, async () => {
  const old = { cert: peer.cert, key: peer.key }
  await peer.connect(w.street.syncPort)
  const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', SITE, '--name', '试验社区']).split('\n').pop()
  const anew = await new Peer(dir, SITE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
  await until('the old link to end', () => peer.closed)
  await peer.busy
  assert.match(`${peer.bye?.reason}`, /enrolled anew/)
  await assert.rejects(peer.connect(w.street.syncPort, { tls: old }))
  await until('the link to end', () => peer.closed)
  await until('the reason', () => /replaced by a newer one/.test(peer.bye?.reason ?? ''))
  peer = anew
  await peer.connect(w.street.syncPort)
  peer.close()
})

test('a node tells its operator that the parent is not the one of its district', PATIENT, async () => {
  const link = w.links.east
  ssl('req', '-new', '-x509', '-key', join(dir, 'peer.key'), '-subj', `/CN=${SITES.street.site}`, '-days', '2', '-out', join(dir, 'false.crt'))
  link.close()
  const fake = createServer({ key: readFileSync(join(dir, 'peer.key')), cert: readFileSync(join(dir, 'false.crt')) }, () => {})
  let dials = 0
  fake.on('tlsClientError', () => { dials++ })
  await new Promise(ok => fake.listen(link.port, '127.0.0.1', ok))
  await until('the node to dial', () => dials >= 2)
  let reason
  await until('a reason that names the certificate', async () => /certificate|证书/i.test(reason = (await honest.get('/status')).link.reason))
    .catch(e => { throw new Error(`${e.message}: the node says "${reason}"`) })
  await new Promise(ok => fake.close(ok))
})

test('a node that was revoked is put out within seconds, says why, and comes back by a new invitation only', PATIENT, async () => {
  const agent = new Client(w.west.url)
  await until('the agent', () => agent.signIn('agent.west', PASSWORD).then(() => true))
  await until('the link', async () => (await agent.get('/status')).link.state === 'up')
  assert.throws(() => run(HUB, ['revoke', '--data', w.street.dir, '--site', '331002003999']), /331002003999 is not a child that is enrolled here/)
  run(HUB, ['revoke', '--data', w.street.dir, '--site', SITES.west.site])
  await until('the link to end', async () => (await agent.get('/status')).link.state === 'down', 30000)
  await until('a reason', async () => /revoked by its parent/.test((await agent.get('/status')).link.reason))
  await w.west.stop()
  await w.west.start()
  await until('the same reason after a restart', async () => /revoked by its parent/.test((await agent.get('/status')).link.reason || ''))
})
