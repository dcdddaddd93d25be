// What the peers share: the events of our own queue, and small things of the network.
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { B } from '../replication/world.mjs'
import { sleep } from '../../../scripts/demo/world.mjs'
import { spawnSync } from 'node:child_process'

/** The queue's events as rows: what a peer carries is the body and its few keys. */
export async function events(queue) {
  const r = spawnSync(`${B}/bench_watch`, ['dump', join(queue.dir, 'doorstep.db'), queue.origin], { encoding: 'utf8', maxBuffer: 1 << 30 })
  if (r.status !== 0) throw new Error(r.stderr)
  return r.stdout.trimEnd().split('\n').map(l => {
    const [seq, hlc, kind, case_no, hash, body] = l.split('\t')
    return { seq, hlc, kind, case_no, hash, body }
  })
}

/** The event as one JSON text, for peers that carry messages. */
export const message = (queue, r) => `{"origin":"${queue.origin}","seq":${r.seq},"hlc":${r.hlc},"kind":"${r.kind}","case":"${r.case_no}","body":${r.body}}`

export const freePort = () => new Promise((ok, no) => {
  const s = createServer().once('error', no).listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => ok(p)) })
})

export async function portUp(port, timeout_ms = 15000) {
  for (const end = Date.now() + timeout_ms; Date.now() < end; await sleep(30))
    if (await new Promise(r => { const s = connect(port, '127.0.0.1', () => { s.destroy(); r(true) }).once('error', () => r(false)) })) return
  throw new Error(`nothing listens on port ${port}`)
}

export const has = program => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
