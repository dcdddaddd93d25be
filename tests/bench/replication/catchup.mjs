// A node returns with a full outbox: how fast, how many bytes, how much memory. With PEERS=1 others carry the same
// events in the same window, one run of each after the other.
import { base, cpu, EVENTS, HUB, mainQueue, median, Pair, peak, run, watch } from './world.mjs'
import { absent, figure, say } from './table.mjs'
import { logWaits } from '../waits.mjs'
import { join } from 'node:path'

async function once(from, queue, check) {
  const p = await Pair.open({ street: join(from, 'street'), west: queue.dir })
  try {
    const before = cpu(p.street.child.pid)
    const r = await p.catchUp(queue)
    const hub = cpu(p.street.child.pid)
    const node = cpu(p.west.child.pid)
    const all = o => Object.values(o).reduce((a, b) => a + b, 0)
    r.hub_ms = all(hub) - all(before)
    r.writer_ms = hub.writer - before.writer
    r.preparer_ms = (hub.preparer ?? 0) - (before.preparer ?? 0)
    r.node_ms = all(node)
    r.node_mb = peak(p.west.child.pid)
    r.hub_mb = peak(p.street.child.pid)
    const w = await watch('count', p.db('street'), queue.origin).json()
    if (w.aside || w.of_origin !== queue.seq || w.certificates !== queue.cases || w.deliveries !== queue.cases)
      throw new Error(`the hub does not hold what was sent: ${JSON.stringify(w)}`)
    r.eps = queue.events / r.seconds
    r.bytes = (r.up + r.down) / queue.events
    r.log_percent = logWaits(p.street).ms / r.seconds / 10
    if (check) {
      await p.west.stop()
      await p.street.stop()
      run(HUB, ['verify', '--data', p.dirs.street], '', 300000)
    }
    return r
  } finally {
    await p.close()
  }
}

export async function figures(runs, peers) {
  const from = await base(say)
  const queue = await mainQueue(say)
  say(`catch-up of ${queue.events} events of ${queue.cases} cases, ${queue.mean_bytes} bytes each as encoded, ${runs} runs`)
  const ours = []
  const theirs = new Map()
  const there = []
  for (const peer of peers) {
    const missing = peer.missing()
    if (missing) absent(`catch-up, ${peer.name}`, missing)
    else there.push(await peer.open(queue))
  }
  try {
    for (let i = 0; i < runs; i++) {
      ours.push(await once(from, queue, i === 0))
      say(`  run ${i + 1}: doorstep ${ours.at(-1).eps.toFixed(0)}/s`)
      for (const peer of there)
        for (const r of await peer.run()) {
          theirs.set(r.name, [...(theirs.get(r.name) || []), r])
          say(`  run ${i + 1}: ${r.name} ${r.eps.toFixed(0)}/s`)
        }
    }
  } finally {
    for (const peer of there) await peer.close()
  }
  const of = key => ({ runs: ours.map(r => r[key]) })
  const eps = median(ours.map(r => r.eps))
  figure(`catch-up of ${EVENTS} events, applied, acknowledged durably`, eps, 'events/s', { digits: 0, ...of('eps') })
  for (const [name, list] of theirs)
    figure(`  ${name}`, median(list.map(r => r.eps)), 'events/s', { digits: 0, runs: list.map(r => r.eps) })
  figure('  of its time the hub\'s writer stood before a full log', median(ours.map(r => r.log_percent)), '%', of('log_percent'))
  const against = (title, name, bounds) => {
    const list = theirs.get(name)
    if (list) figure(title, eps / median(list.map(r => r.eps)), 'x', { ...bounds, digits: 2, runs: ours.map((r, i) => r.eps / list[i].eps) })
  }
  against('catch-up / PostgreSQL with 100 per transaction', 'PostgreSQL, 100 per transaction', { least: 1.5, aim: 2.5 })
  against('  with 100 per transaction and synchronous apply', 'PostgreSQL, 100 per transaction, synchronous apply', {})
  figure('bytes on the wire per event, catch-up', median(ours.map(r => r.bytes)), 'bytes', { least: 90, aim: 70, lower: true, ...of('bytes') })
  for (const [name, list] of theirs)
    figure(`  ${name}`, median(list.map(r => r.bytes)), 'bytes', { runs: list.map(r => r.bytes) })
  for (const [name, key] of [['CPU of the hub', 'hub_ms'], ['  its writer', 'writer_ms'], ['  its preparer', 'preparer_ms'], ['CPU of the node', 'node_ms']])
    figure(`${name} during catch-up`, median(ours.map(r => r[key])), 'ms', { digits: 0, ...of(key) })
  figure('resident memory of the node during catch-up, peak', median(ours.map(r => r.node_mb)), 'MB', { least: 24, aim: 12, lower: true, ...of('node_mb') })
  figure('resident memory of the hub during catch-up, peak', median(ours.map(r => r.hub_mb)), 'MB', { least: 48, aim: 24, lower: true, ...of('hub_mb') })
}
