// `make bench-replication`: the figures of replication on loopback with TLS, through the real programs, full rules and
// projections. It prints a table and writes build/bench/replication.json. A slow figure is only told; the program
// fails when something does not work.
//
//   PEERS=1   PostgreSQL, mosquitto, NATS and rsync beside it in the same window
//   ONLY=a,b  catchup latency papers line stored fleet
//   RUNS=n    runs of each figure (3; of the catch-up, which moves most, 5)      FRESH=1  make the prepared folders anew
//   EVENTS=n STORED=n  smaller worlds while developing
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { B, closeAll } from './replication/world.mjs'
import { all, figure, print, say } from './replication/table.mjs'

const runs = Math.max(1, Number(process.env.RUNS || 3))
const withPeers = process.env.PEERS === '1'
const only = (process.env.ONLY || '').split(',').filter(Boolean)

const here = name => fileURLToPath(new URL(name, import.meta.url))
const peers = async (...names) => withPeers ? Promise.all(names.map(n => import(`./peers/${n}.mjs`))) : []
const groups = {
  catchup: async () => (await import('./replication/catchup.mjs')).figures(process.env.RUNS ? runs : 5, await peers('postgres', 'mosquitto', 'nats')),
  latency: async () => (await import('./replication/live.mjs')).figures(runs),
  papers: async () => (await import('./replication/papers.mjs')).figures(runs, (await peers('rsync'))[0]),
  line: async () => (await import('./replication/slow.mjs')).figures(),
  stored: async () => (await import('./replication/stored.mjs')).figures(runs),
  // many nodes and many links: a module of its own, when it is there
  fleet: async () => existsSync(here('replication/fleet.mjs')) && (await import('./replication/fleet.mjs')).figures(say, figure),
}

async function stop(code) {
  await closeAll()
  process.exit(code)
}
process.once('SIGINT', () => stop(130))
process.once('SIGTERM', () => stop(143))

const failed = []
const began = Date.now()
for (const [name, run] of Object.entries(groups)) {
  if (only.length && !only.includes(name)) continue
  try {
    await run()
  } catch (e) {
    failed.push(name)
    console.error(`bench-replication: ${name}: ${e.stack}`)
    await closeAll()
  }
}
print()
mkdirSync(`${B}/bench`, { recursive: true })
writeFileSync(`${B}/bench/replication.json`, JSON.stringify({
  machine: `${cpus().length} x ${cpus()[0].model}`, node: process.version, at: new Date(began).toISOString(),
  seconds: Math.round((Date.now() - began) / 1000), runs, peers: withPeers, failed, figures: all(),
}, null, 1) + '\n')
say(`\n${B}/bench/replication.json written`)
await stop(failed.length ? 1 : 0)
