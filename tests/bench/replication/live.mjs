// One event at a time on a steady link: a case is filed, accepted, approved and noted, each one event and one commit.
// How long from the node's commit to the hub's (without a line between), and how many bytes (through the counting one).
import { join } from 'node:path'
import { filing } from '../../../scripts/demo/story.mjs'
import { SITES, sleep } from '../../../scripts/demo/world.mjs'
import { base, median, Pair, quantile, watch } from './world.mjs'
import { figure, say } from './table.mjs'
import { person, plainItem } from '../items.mjs'

const COUNT = 320
const PAUSE_MS = 12
const NOTE = '已电话告知申请人，结果由代办员送达。'

/** COUNT single events, one after the other. */
export async function singles(agent, item, count = COUNT, pause_ms = PAUSE_MS) {
  for (let i = 0; i < count / 4; i++) {
    const { case_no } = await agent.post('/cases', filing(item, person(i), [], 'agent'))
    await sleep(pause_ms)
    for (const action of ['accept', 'approve', 'note']) {
      await agent.post(`/cases/${case_no}/actions`, { action, ...(action === 'note' ? { text: NOTE } : {}) })
      await sleep(pause_ms)
    }
  }
}

async function delays(from) {
  const p = await Pair.open({ street: join(from, 'street'), west: join(from, 'west'), direct: true })
  try {
    await p.west.start()
    const agent = await p.linked()
    const item = await plainItem(agent)
    await sleep(1500)
    const w = watch('pair', p.db('west'), p.db('street'), SITES.west.site, COUNT, 60)
    await w.line()
    await singles(agent, item)
    return await w.json()
  } finally {
    await p.close()
  }
}

async function bytes(from) {
  const p = await Pair.open({ street: join(from, 'street'), west: join(from, 'west') })
  try {
    await p.west.start()
    const agent = await p.linked()
    const item = await plainItem(agent)
    const origin = SITES.west.site
    await sleep(1500)
    const before = await p.line.report()
    const { of_origin } = await watch('count', p.db('west'), origin).json()
    await singles(agent, item)
    await sleep(1500) // the last acknowledgement and the signed head behind it
    const after = await p.line.report()
    const made = await watch('sizes', p.db('street'), origin, Math.max(0, of_origin)).json()
    if (made.events !== COUNT) throw new Error(`${made.events} of ${COUNT} events at the hub`)
    return { bytes: (after.up + after.down - before.up - before.down) / made.events, mean: made.mean_bytes }
  } finally {
    await p.close()
  }
}

export async function figures(runs) {
  const from = await base(say)
  say(`single events on a steady link: ${COUNT} in each of ${runs} runs, ${PAUSE_MS} ms between`)
  const all = []
  const wire = []
  for (let i = 0; i < runs; i++) {
    all.push(await delays(from))
    wire.push(await bytes(from))
  }
  const p50 = all.map(a => quantile(a, 0.5))
  const p99 = all.map(a => quantile(a, 0.99))
  figure("one event, node's commit to hub's commit, p50", median(p50), 'ms', { least: 2, aim: 1, lower: true, digits: 2, runs: p50 })
  figure("one event, node's commit to hub's commit, p99", median(p99), 'ms', { least: 8, aim: 4, lower: true, digits: 2, runs: p99 })
  figure('bytes on the wire per single live event', median(wire.map(w => w.bytes)), 'bytes', {
    least: 130, aim: 95, lower: true, runs: wire.map(w => w.bytes), note: `mean event ${wire[0].mean} bytes`,
  })
}
