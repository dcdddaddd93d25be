// A line of 64 kbit/s: how much longer does a decision take to arrive while a photograph of 5 MB is on its way?
// The line is a program of ours: 8,000 bytes a second and 50 ms each way. It holds at most 4 KiB that have not left,
// as a modem would, and its socket buffers are the smallest that the kernel allows; with a deep queue one would
// measure the queue.
import { filing } from '../../../scripts/demo/story.mjs'
import { jpeg } from '../../../scripts/demo/samples.mjs'
import { SITES, sleep, until } from '../../../scripts/demo/world.mjs'
import { join } from 'node:path'
import { base, median, Pair, quantile, watch } from './world.mjs'
import { figure, say } from './table.mjs'
import { person, plainItem } from '../items.mjs'

const LINE = { bytes_per_s: 8000, delay_ms: 50, queue_bytes: 4096 }
const IDLE = 9
const BUSY = 21
const PHOTO = 5000000

/** Approve the cases one after the other, at no fixed beat; ms from commit to commit of each. */
async function decide(p, agent, cases) {
  const w = watch('pair', p.db('west'), p.db('street'), SITES.west.site, cases.length, 120)
  await w.line()
  for (const no of cases) {
    await agent.post(`/cases/${no}/actions`, { action: 'approve' })
    await sleep(1100 + Math.random() * 700)
  }
  return w.json()
}

export async function figures() {
  const from = await base(say)
  say(`decisions on a line of 64 kbit/s: ${IDLE} while it is idle, ${BUSY} beside a photograph of ${PHOTO / 1e6} MB`)
  const p = await Pair.open({ street: join(from, 'street'), west: join(from, 'west'), slow: LINE })
  try {
    await p.west.start()
    const agent = await p.linked()
    const item = await plainItem(agent)
    const withPaper = await agent.get('/items/elderly-card')
    const photo = await agent.upload(jpeg(PHOTO), 'image/jpeg', 'photo.jpg')
    const cases = []
    for (let i = 0; i < IDLE + BUSY; i++) {
      const { case_no } = await agent.post('/cases', filing(item, person(i), [], 'agent'))
      await agent.post(`/cases/${case_no}/actions`, { action: 'accept' })
      cases.push(case_no)
    }
    const sent = async () => (await agent.get('/status')).link.unsent_events === 0
    await until('the cases at the hub', sent, 60000)
    await sleep(3000)
    const idle = await decide(p, agent, cases.slice(0, IDLE))
    await agent.post('/cases', filing(withPaper, person(100), [photo], 'agent'))
    await until('the filing at the hub', sent, 60000)
    const a = await p.line.report()
    await until('the photograph on its way', async () => (await p.line.report()).up > a.up + 30000, 60000)
    const before = { ...await p.line.report(), at: performance.now() }
    const busy = await decide(p, agent, cases.slice(IDLE))
    const after = { ...await p.line.report(), at: performance.now() }
    const used = (after.up - before.up) / ((after.at - before.at) / 1000)
    if ((await agent.get('/status')).link.unsent_documents !== 1) throw new Error('the photograph was not on its way all the time')
    figure('a decision on the idle line of 64 kbit/s, median', median(idle) / 1000, 's', { digits: 2, runs: idle.map(x => x / 1000) })
    figure('  beside a photograph of 5 MB, median', median(busy) / 1000, 's', { digits: 2, runs: busy.map(x => x / 1000), note: `p90 ${(quantile(busy, 0.9) / 1000).toFixed(2)} s; the photograph gets ${used.toFixed(0)} bytes/s` })
    figure('delay that a photograph adds to a decision', (median(busy) - median(idle)) / 1000, 's', {
      least: 1.5, aim: 0.5, lower: true, digits: 2, note: `at p90 ${((quantile(busy, 0.9) - median(idle)) / 1000).toFixed(2)} s`,
    })
  } finally {
    await p.close()
  }
}
