// 200 papers of 1 MB go from a node to its hub: sent in pieces over the same link as the events, hashed and durable at
// the hub before it says so. Beside it rsync with --fsync carries the same files.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { base, HUB, median, now_ns, Pair, queued, run, watch } from './world.mjs'
import { absent, figure, say } from './table.mjs'

const CASES = 20
const EACH = 10
const BYTES = 1000000

async function once(from, queue, check) {
  const p = await Pair.open({ street: join(from, 'street'), west: queue.dir, direct: true })
  try {
    const w = watch('papers', p.db('west'), CASES * EACH, 180)
    await p.west.start()
    const began = now_ns() // the node dials now
    const { sent_ns } = await w.json()
    const c = await watch('count', p.db('street'), queue.origin).json()
    if (c.papers !== CASES * EACH) throw new Error(`the hub has ${c.papers} papers`)
    if (check) {
      await p.west.stop()
      await p.street.stop()
      run(HUB, ['verify', '--data', p.dirs.street], '', 300000)
    }
    return CASES * EACH * BYTES / 1e6 / ((sent_ns - began) / 1e9)
  } finally {
    await p.close()
  }
}

/** The prepared node's papers as plain files. */
const files = dir => readdirSync(join(dir, 'blobs')).filter(d => /^[0-9a-f]{2}$/.test(d)).flatMap(d => readdirSync(join(dir, 'blobs', d)).map(f => join(dir, 'blobs', d, f)))

export async function figures(runs, peer) {
  const from = await base(say)
  const queue = await queued('papers', CASES, { papers: EACH, bytes: BYTES, items: ['elderly-card'] }, say)
  const missing = peer?.missing()
  say(`${CASES * EACH} papers of ${BYTES / 1e6} MB, ${runs} runs`)
  if (missing) absent(`papers, ${peer.name}`, missing)
  const ours = []
  const theirs = []
  for (let i = 0; i < runs; i++) {
    ours.push(await once(from, queue, i === 0))
    if (peer && !missing) theirs.push(await peer.send(files(queue.dir)))
    say(`  run ${i + 1}: doorstep ${ours[i].toFixed(1)} MB/s${theirs[i] ? `, ${peer.name} ${theirs[i].toFixed(1)} MB/s` : ''}`)
  }
  figure(`${CASES * EACH} papers of 1 MB, durable and verified`, median(ours), 'MB/s', { runs: ours })
  if (!theirs.length) return
  figure(`  ${peer.name}`, median(theirs), 'MB/s', { runs: theirs })
  const ratio = ours.map((o, i) => o / theirs[i])
  figure('  papers / rsync with fsync', median(ratio), 'x', { least: 0.8, aim: 1.2, digits: 2, runs: ratio })
}
