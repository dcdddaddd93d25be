// One enrolled community whose program is hostile, in a tree whose other sites are honest. Its code comes before those of
// all others, and it may choose its clock.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, build, run, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { Peer, caseNumber } from './peer.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const tables = join(process.env.B ?? 'build', 'tables')
const BATCH_BYTES = 500_000
export const ROGUE = '331002003900'
export const STREET9 = '331002003'
const people = {
  honest: { name: '林小溪', id_type: '111', id_number: '339900199907040057', mobile: '10000000001' },
  rogues: { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' },
}

/** Every kind in the product's tables. */
export const kinds = () => JSON.parse(execFileSync(tables, ['kinds']))
/** What became at `site` of the events of `code`. */
export const verdicts = (site, code = ROGUE) => JSON.parse(execFileSync(tables, ['verdicts', join(site.dir, 'doorstep.db'), code], { maxBuffer: 1 << 28 }))

export const personal = o => ({ salt: randomBytes(16), personal: JSON.stringify(o) })
export const today = () => new Date(Date.now() + 8 * 3600e3).toISOString().slice(2, 10).replaceAll('-', '')
export const certificate = n => 'SY2026' + STREET9 + String(n).padStart(6, '0')

export class Rogue extends Peer {
  /** The n-th case number, and the n-th of a result, of the blocks that were lent to it. */
  number(n) { return caseNumber(STREET9, today(), this.first.case + n) }
  certificate(n) { return certificate(this.first.certificate + n) }

  /** A filing as an honest program says it, but for what `record` and `person` change. */
  file(no, record = {}, person = {}, more = {}) {
    const whole = { item: 'birth-registration-first', item_version: 1, item_name: '一孩生育登记', decided_at: ['community', 'street'], custodian: ROGUE, community: ROGUE, state: 'submitted' }
    return this.event('case.filed/1', no, { ...whole, ...record }, { ...personal({ applicant: people.rogues, delivery: { method: 'pickup' }, ...person }), ...more })
  }

  /** Accepted, granted, issued. */
  complete(no, number) {
    this.event('case.accepted/1', no, { custody_no: 1 })
    this.event('case.granted/1', no, { custody_no: 1 })
    return this.event('certificate.issued/1', no, { custody_no: 1, number })
  }

  /** What became at `site` of an event that it has said. */
  verdict(site, e) { return verdicts(site).find(x => x.origin === e.origin && x.seq === e.seq)?.state }

  async dial() {
    await this.connect(this.port)
    this.ws.on('error', () => {})
  }

  /** Send what was said since, and wait until it is stored, or the link has ended. */
  async say() {
    while (this.sent < this.out.length && !this.closed) {
      let n = 0
      for (let bytes = 0; this.sent + n < this.out.length && n < 1000; n++) {
        bytes += this.out[this.sent + n].length + 8
        if (n && bytes > BATCH_BYTES) break
      }
      await this.sendEvents(this.sent, n)
      this.sent += n
      await until('the acknowledgement', () => this.closed || this.acked >= this.sent)
    }
  }
}

/** A world with its rogue, linked. w.file(client): the number of a case that somebody honest has filed, when the street has it. */
export async function world(dir, options = {}) {
  const w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')], ...options })
  try {
    const invitation = run(HUB, ['invite', '--data', w.street.dir, '--site', ROGUE, '--name', '异常社区']).split('\n').pop()
    const rogue = await new Rogue(dir, ROGUE).enrol(`https://127.0.0.1:${w.street.syncPort}`, invitation)
    Object.assign(rogue, { port: w.street.syncPort, sent: 0, first: {} })
    for (const b of w.street.status().blocks.filter(b => b.holder === ROGUE)) rogue.first[b.kind] = b.first
    await rogue.dial()
    w.rogue = rogue
    w.as = async (site, username) => {
      const c = new Client(site.url)
      await until(`the account ${username}`, () => c.signIn(username, PASSWORD).then(() => true))
      return c
    }
    w.agent = await w.as(w.east, 'agent.east')
    w.clerk = await w.as(w.street, 'clerk')
    w.supervisor = await w.as(w.district, 'supervisor')
    const item = await until('the item', () => w.agent.get('/items/birth-registration-first'))
    let papers = 0
    const paper = c => c.upload(png(300 + papers++, 200), 'image/png', 'paper.png')
    w.file = async (client = w.agent, more = {}) => {
      const c = await client.post('/cases', { ...filing(item, people.honest, [await paper(client), await paper(client)], 'agent'), ...more })
      await until('the case at the street', () => w.clerk.get('/cases/' + c.case_no))
      return c.case_no
    }
  } catch (e) {
    await w.stop()
    throw e
  }
  return w
}
