// A hostile community says every kind that the tables of the product know, of everything that is not its own: nothing of it
// is believed, nothing goes on to other communities, nothing comes back.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PATIENT, SITES, run, until } from '../../scripts/demo/world.mjs'
import { caseNumber } from './peer.mjs'
import { ROGUE, STREET9, kinds, personal, today, verdicts, world } from './rogue.mjs'

const dir = mkdtempSync(join(tmpdir(), 'doorstep-rogue-'))
const OTHER_STREET = '331002004000'
const OTHER_DISTRICT = '331003001000'
const HOUR = 3600e3
const hlc = ms => BigInt(Date.now() + ms) << 16n
let w, rogue, next

before(async () => {
  w = await world(dir)
  rogue = w.rogue
}, PATIENT)
after(async () => {
  rogue?.close()
  await w?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** A record that has whatever any kind may ask for. */
const record = more => ({
  site: ROGUE, holder: ROGUE, name: 'x', public_key: 'ab'.repeat(32), rev: 99, how: 'revoked', program: 'x', types: ' case ticket ', critical: '', username: 'clerk', role: 'clerk',
  kind: 'case', first: 0, last: 99999, code: 'birth-registration-first', version: 99, state: 'submitted', year: 2026, item: 'birth-registration-first', item_version: 1, item_name: 'x',
  decided_at: ['community', 'street'], community: ROGUE, custodian: ROGUE, hall: ROGUE, queue: 'A', class: 'normal', custody_no: 1, to: ROGUE, no: 1, number: rogue.certificate(1), method: 'agent',
  window: '1', n: 1, score: 1, asked: 0, id: 'ab'.repeat(16), ...more,
})
const body = personal({ name: 'x', salt: '00'.repeat(16), hash: '00'.repeat(32), reason: 'pay at x', text: 'pay at x', by: 'x', applicant: { name: 'x' }, materials: [] })
const idOf = (k, street9, n) => k.letter === '' ? caseNumber(street9, today(), n) : `${k.letter}${street9}${today()}A${String(n + 1).padStart(3, '0')}`

test('of its own ground it is believed', PATIENT, async () => {
  const said = []
  let n = 10
  for (const k of kinds()) {
    if (k.type === '') {
      if (['above', 'place'].includes(k.may)) said.push([k, rogue.event(k.kind, '', record({ [k.place]: ROGUE, role: 'agent', username: 'agent.own' }), body)])
      continue
    }
    if (k.type !== 'case' || !['open', 'custodian', 'part'].includes(k.may)) continue
    const no = rogue.number(n++)
    const opening = rogue.file(no)
    said.push([k, k.may === 'open' ? opening : rogue.event(k.kind, no,
      record({ custody_no: k.kind === 'case.transferred/1' ? 2 : 1, to: SITES.street.site, number: rogue.certificate(n) }), { ...body, critical: k.critical })])
  }
  await rogue.say()
  assert.equal(rogue.closed, null)
  const got = new Map(verdicts(w.street).map(x => [x.seq, x]))
  assert.ok(said.length > 20)
  for (const [k, e] of said) assert.ok(['applied', 'aside'].includes(got.get(e.seq).state), `${k.kind}: ${got.get(e.seq).state}, ${got.get(e.seq).reason}`)
})

/** All that anybody honest can see of what the attempts are about. */
async function seen(cases) {
  const out = {}
  for (const [site, client] of [['east', w.agent], ['street', w.clerk], ['district', w.supervisor]]) {
    for (const no of cases) out[`${site} ${no}`] = await client.get('/cases/' + no).catch(e => e.status)
    for (const what of ['items', 'sites']) out[`${site} ${what}`] = await client.get('/' + what)
    out[`${site} blocks`] = (await client.get('/blocks')).blocks.filter(b => b.holder !== ROGUE)
  }
  return JSON.parse(JSON.stringify(out, (key, v) => ['lease', 'light'].includes(key) ? undefined : v))
}

test('of what is not its own nothing that it says stands', PATIENT, async () => {
  const atEast = await w.file()
  const atStreet = await w.file(w.clerk, { community: SITES.west.site })
  next = caseNumber(STREET9, today(), 1) // the next one of the other community, which does not exist yet
  await until('both at the district', async () => await w.supervisor.get('/cases/' + atStreet) && w.supervisor.get('/cases/' + atEast))
  const known = rogue.received.length
  const before = await seen([atEast, atStreet])
  const tried = []
  const attempt = (what, states, ...args) => tried.push({ what, states, args })

  for (const k of kinds().filter(k => k.type === '')) {
    for (const place of k.place ? [SITES.district.site, SITES.street.site, SITES.east.site, OTHER_STREET, OTHER_DISTRICT, 'nowhere'] : [null]) {
      const street = /^\d{12}$/.test(place) ? place.slice(0, 9) + '000' : SITES.street.site
      attempt(`${k.kind} of ${place}`, ['refused'], k.kind, '', record(place ? { [k.place]: place } : {}), { ...body, street, critical: k.critical })
      attempt(`${k.kind} of ${place}, under its own street`, ['refused'], k.kind, '', record(place ? { [k.place]: place } : {}), body)
    }
    if (['parent', 'lend'].includes(k.may)) attempt(`${k.kind} of itself`, ['refused'], k.kind, '', record({ [k.place]: ROGUE }), body)
  }
  attempt('a role of an office above', ['aside'], 'account.created/1', '', record({ username: 'evil.admin', role: 'admin' }), body)
  attempt('a user name that is none', ['aside'], 'account.created/1', '', record({ username: 'x y', role: 'agent' }), body)

  for (const k of kinds().filter(k => k.type !== '')) {
    const above = ['take_back', 'overrule'].includes(k.may)
    for (const [ms, critical] of [[-HOUR, false], [HOUR, true]]) {
      const more = { ...body, critical, hlc: hlc(ms) }
      for (const id of k.type === 'case' ? [atEast, atStreet] : [])
        for (const custody_no of [1, 2, 2 ** 53])
          attempt(`${k.kind} in ${id} under ${custody_no}`, above ? ['refused'] : k.may === 'open' ? ['denied', 'aside'] : ['denied'], k.kind, id, record({ custody_no }), more)
      if (k.may !== 'open')
        attempt(`${k.kind} in what does not exist yet`, above ? ['refused'] : ['denied'], k.kind, idOf(k, STREET9, 1), record(), more)
      attempt(`${k.kind} in another street`, above || k.may === 'open' ? ['refused'] : ['denied'], k.kind, idOf(k, OTHER_STREET.slice(0, 9), 7),
        record(), { ...more, street: OTHER_STREET })
      attempt(`${k.kind} under a community for a street`, ['refused'], k.kind, idOf(k, STREET9, 1), record(), { ...more, street: SITES.east.site })
    }
    attempt(`${k.kind} in another district`, ['refused'], k.kind, idOf(k, OTHER_DISTRICT.slice(0, 9), 7), record(), { ...body, street: OTHER_DISTRICT })
    attempt(`${k.kind} whose record is a list`, ['refused'], k.kind, idOf(k, STREET9, 1), null, { ...body, record: '[1]' })
    attempt(`${k.kind} whose record has a key twice`, ['refused'], k.kind, idOf(k, STREET9, 1), null, { ...body, record: '{"custody_no":1,"custody_no":2}' })
    attempt(`${k.kind} whose record is deep`, ['refused'], k.kind, idOf(k, STREET9, 1), null, { ...body, record: '['.repeat(100) + ']'.repeat(100) })
    attempt(`${k.kind} whose record is not UTF-8`, ['refused'], k.kind, idOf(k, STREET9, 1), null, { ...body, record: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) })
    attempt(`${k.kind} in an id that is none`, ['refused'], k.kind, k.letter + STREET9 + 'abcdefghijkl'.slice(k.letter.length), record(), body)
  }
  for (const critical of [false, true]) attempt('a kind of a later time', ['unknown'], 'case.future/9', atEast, record(), { ...body, critical })
  // One event, said three times: of the number of another, which exists, and which does not yet.
  for (const id of [atEast, next])
    for (let i = 0; i < 3; i++) attempt(`the opening of ${id}, said again`, ['aside', 'denied'], 'case.filed/1', id, record(), { ...body, hlc: 1n << 50n })

  // What is refused ends the link when it is stored: it comes last, and all at once.
  const never = tried.filter(t => t.states.includes('refused'))
  for (const part of [tried.filter(t => !never.includes(t)), never]) {
    for (const t of part) t.e = rogue.event(...t.args)
    await rogue.say()
  }
  await rogue.busy
  assert.equal(rogue.bye?.code, 8, 'who says what is never its to say is not listened to any more')
  const got = new Map(verdicts(w.street).map(x => [x.seq, x]))
  const stored = tried.filter(t => got.has(t.e.seq))
  assert.ok(stored.length > 300 && stored.length === tried.length, `${stored.length} of ${tried.length} attempts were looked at`)
  assert.deepEqual(stored.map(t => ({ ...t, x: got.get(t.e.seq) })).filter(t => !t.states.includes(t.x.state))
    .map(t => `${t.what}: ${t.x.state} (${t.x.reason}), not ${t.states}`), [])

  assert.deepEqual(await seen([atEast, atStreet]), before)
  assert.equal(await w.file(), next, 'the number that it wanted is used by whose it is')
  assert.equal((await w.clerk.get('/cases/' + next)).filed_at, SITES.east.site)
  await until('the case at the district', () => w.supervisor.get('/cases/' + next))
  for (const s of [w.east, w.west]) assert.deepEqual(verdicts(s), [], `nothing of it is at ${s.name}`)
  assert.deepEqual(rogue.received.slice(known).filter(e => e.dossier && !e.origin.startsWith(ROGUE) && e.kind !== 'dossier.overruled/1').map(e => `${e.kind} ${e.dossier}`), [], 'nothing of others has come to it, but that it was overruled')
})

test('it is not let in again today, and all others sign in and work', PATIENT, async () => {
  await assert.rejects(rogue.dial())
  for (const [site, username] of [[w.street, 'clerk'], [w.east, 'agent.east'], [w.district, 'supervisor'], [w.district, 'clerk'], [w.district, 'agent.west']]) await w.as(site, username)
  await w.agent.post(`/cases/${next}/actions`, { action: 'complete' })
  await until('the result at the district', async () => (await w.supervisor.get('/cases/' + next)).certificate?.number)
  await w.stop()
  for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
})
