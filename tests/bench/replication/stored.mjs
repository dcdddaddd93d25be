// A hub that has seen years: 2,000,000 events of 200,000 cases. How long until it is ready, and does a returning node
// catch up as fast as at an empty hub?
import { join } from 'node:path'
import { base, B, copyFolder, mainQueue, median, Pair, prepared, queued, run, watch } from './world.mjs'
import { figure, say } from './table.mjs'

const STORED = Number(process.env.STORED || 2000000)
const TEMPLATE_CASES = 5000 // ten events each: five of the pass and five notes
const WINDOW_S = 60         // a run that takes longer is judged by what came until then

async function old(from) {
  const queue = await queued('template', TEMPLATE_CASES, { notes: 5, site: 'east' }, say)
  const copies = Math.round(STORED / queue.events) - 1
  return prepared(`stored-${STORED}`, async dir => {
    say(`making a hub with ${STORED} events ...`)
    const p = await Pair.open({ street: join(from, 'street'), west: queue.dir })
    try {
      const r = await p.catchUp(queue, 400)
      if (r.seq !== queue.seq) throw new Error('the template did not arrive at the hub')
      await p.west.stop()
      await p.street.stop()
      copyFolder(p.dirs.street, join(dir, 'street'))
    } finally {
      await p.close()
    }
    run(`${B}/bench_stored`, [join(dir, 'street'), queue.origin, String(copies)], '', 1200000)
  })
}

async function once(street, queue, check) {
  const p = await Pair.open({ street, west: queue.dir })
  try {
    const r = await p.catchUp(queue, WINDOW_S)
    if (check) check(await watch('count', p.db('street'), queue.origin).json())
    if (r.seq !== queue.seq) await p.kill() // it has too much to do to end by itself
    return { eps: (r.seq - r.before) / r.seconds, ready: p.street_ready_s }
  } finally {
    await p.close()
  }
}

export async function figures(runs) {
  const from = await base(say)
  const queue = await mainQueue(say)
  const dir = await old(from)
  say(`catch-up at a hub with ${STORED} events, beside an empty one, ${runs} runs; at most ${WINDOW_S} s each`)
  const full = []
  const empty = []
  for (let i = 0; i < runs; i++) {
    empty.push(await once(join(from, 'street'), queue))
    full.push(await once(join(dir, 'street'), queue, c => {
      if (c.events < STORED || c.cases < STORED / 10) throw new Error(`the old hub holds only ${c.events} events of ${c.cases} cases`)
    }))
    say(`  run ${i + 1}: empty ${empty[i].eps.toFixed(0)}/s, full ${full[i].eps.toFixed(0)}/s, ready in ${full[i].ready.toFixed(2)} s`)
  }
  const ratio = full.map((f, i) => f.eps / empty[i].eps)
  figure(`catch-up with ${STORED.toLocaleString('en')} events stored`, median(full.map(f => f.eps)), 'events/s', { digits: 0, runs: full.map(f => f.eps) })
  figure('  as a part of the speed at an empty hub', median(ratio), 'x', { least: 0.8, aim: 0.95, digits: 2, runs: ratio })
  const ready = full.map(f => f.ready)
  figure(`start of a hub with ${STORED.toLocaleString('en')} events, until ready`, median(ready), 's', { least: 1, aim: 0.2, lower: true, digits: 2, runs: ready })
}
