// Many nodes at one hub: all that a street can have (999) that return within one second with 200 events each, and ten thousand idle links.
// The hub is the real program; the nodes are one process on the production engine (tests/bench/fleet.c).
//
//   node tests/bench/replication/fleet.mjs        alone; FLEET=return or FLEET=idle, NODES=n LINKS=n RUNS=n while developing
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Helper, HUB, B, copyFolder, median, peak, prepared, run, setParent, SITES, temporary } from './world.mjs'
import { Site, sleep, until } from '../../../scripts/demo/world.mjs'

const NODES = Number(process.env.NODES || 999)
const CASES = 40 // of five events each
const LINKS = Number(process.env.LINKS || 10000)
const SPREAD_MS = 1000
const CLOCK_S = 20 // every link asks for the clock once in this time (protocol.md 6)
const IDLE_S = 30
const TICKS_PER_S = Number(run('getconf', ['CLK_TCK']))

const bench = (...args) => run(`${B}/bench_fleet`, args.map(String), '', 900000)
const resident = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
const cpu = pid => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return (Number(f[11]) + Number(f[12])) / TICKS_PER_S
}

const catalogue = ['schema/catalogue/items', 'schema/catalogue/calendar'].flatMap(d =>
  readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`))

const init = (dir, { site, name }, ...rest) => run(HUB, ['init', '--data', dir, '--site', site, '--name', name, ...rest])

/** A street below a district that has told it the catalogue and is away now. */
async function street(dir) {
  const above = new Site(join(dir, 'district'), HUB, 'district'), s = new Site(join(dir, 'hub'), HUB, 'street')
  init(above.dir, SITES.district)
  run(HUB, ['catalogue', 'import', '--data', above.dir, ...catalogue])
  await above.start()
  try {
    const { site, name } = SITES.street
    const code = run(HUB, ['invite', '--data', above.dir, '--site', site, '--name', name]).split('\n').pop().trim()
    init(s.dir, SITES.street, '--parent', `https://127.0.0.1:${above.syncPort}`, '--invitation', code)
    await s.start()
    await until('the catalogue to reach the street', async () => above.status().children.every(c => c.unsent_events === 0) && (await s.api.get('/items')).items.length)
    await until('the street to have told its own', () => s.status().link.unsent_events === 0)
  } finally {
    await s.stop()
    await above.stop()
  }
  setParent(s.dir, 'https://127.0.0.1:9')
}

/** A hub whose children are enrolled, and the file of its children: with work of theirs a street, else a district. */
const enrolled = (name, count, cases, say) => prepared(`${name}-${count}`, async dir => {
  say(`enrolling ${count} nodes${cases ? `, each with ${cases * 5} events` : ''} ...`)
  if (cases) await street(dir)
  else init(join(dir, 'hub'), SITES.district)
  bench('prepare', join(dir, 'hub'), join(dir, 'fleet'), count, cases)
})

class Fleet {
  static async open(from, site, mode, ...args) {
    const f = new Fleet()
    f.dir = temporary('fleet')
    copyFolder(join(from, 'hub'), join(f.dir, 'hub'))
    f.hub = new Site(join(f.dir, 'hub'), HUB, 'hub')
    try {
      await f.hub.start()
      f.pid = f.hub.child.pid
      f.nodes = new Helper(`${B}/bench_fleet`, [mode, join(from, 'fleet'), f.hub.syncPort, join(f.dir, 'hub/keys/ca.crt'), site, ...args])
      if (await f.nodes.line() !== 'loaded') throw new Error('the nodes did not load')
    } catch (e) {
      await f.close()
      throw e
    }
    return f
  }

  begin() { this.nodes.child.stdin.write('\n') }

  async close() {
    await this.nodes?.stop()
    await this.hub.stop()
    run('rm', ['-rf', this.dir])
  }
}

async function returning(from) {
  const f = await Fleet.open(from, SITES.street.site, 'return', SPREAD_MS, 300)
  try {
    f.begin()
    const r = await f.nodes.json()
    if (r.done !== NODES) throw new Error(`${r.done} of ${NODES} nodes are in: ${r.why}`)
    await f.nodes.gone
    r.hub_mb = peak(f.pid)
    r.cpu_s = cpu(f.pid)
    await f.hub.stop()
    const held = JSON.parse(bench('check', join(f.dir, 'hub')))
    const cases = NODES * CASES
    if (held.events !== cases * 5 || held.aside || held.repairs || held.cases !== cases || held.certificates !== cases || held.signed !== NODES)
      throw new Error(`the hub does not hold what was sent: ${JSON.stringify(held)}`)
    return r
  } finally {
    await f.close()
  }
}

async function idle(from) {
  const f = await Fleet.open(from, SITES.district.site, 'idle', 900)
  try {
    await sleep(2000)
    const before = resident(f.pid)
    f.begin()
    const up = await f.nodes.json()
    await sleep((CLOCK_S + 5) * 1000) // what the handshakes set going is over
    const cpu0 = cpu(f.pid), nodes0 = cpu(f.nodes.child.pid), t0 = performance.now()
    await sleep(IDLE_S * 1000)
    const s = (performance.now() - t0) / 1000
    const r = { bytes: (resident(f.pid) - before) / LINKS, percent: (cpu(f.pid) - cpu0) / s * 100, up_s: up.seconds,
      nodes_percent: (cpu(f.nodes.child.pid) - nodes0) / s * 100 }
    f.nodes.child.stdin.end()
    const after = await f.nodes.json()
    if (up.up !== LINKS || after.up !== LINKS || after.redials)
      throw new Error(`${after.up} of ${LINKS} links stand, ${after.redials} had to be dialled again: ${after.why}`)
    return r
  } finally {
    await f.close()
  }
}

export async function figures(say, figure, runs = Number(process.env.RUNS || 3)) {
  const only = process.env.FLEET
  if (only !== 'idle') {
    const from = await enrolled('returning', NODES, CASES, say)
    say(`${NODES} nodes with ${CASES * 5} queued events each, all dialling within ${SPREAD_MS / 1000} s, ${runs} runs`)
    const list = []
    for (let i = 0; i < runs; i++) {
      const r = await returning(from)
      list.push(r)
      say(`  run ${i + 1}: all in after ${r.seconds.toFixed(1)} s, median node ${r.median_ms} ms, last ${r.max_ms} ms, hub ${r.hub_mb.toFixed(0)} MB, ` +
        `${r.cpu_s.toFixed(1)} s of its CPU, ${r.redials} dialled again`)
    }
    const of = fn => [median(list.map(fn)), list.map(fn)]
    const put = (name, fn, unit, o) => {
      const [value, all] = of(fn)
      figure(name, value, unit, { runs: all, lower: true, ...o })
    }
    put(`${NODES} nodes return with ${CASES * 5} events each: all in`, r => r.seconds, 's')
    put('  events', r => r.events / r.seconds, 'events/s', { lower: false, digits: 0 })
    put('  slowest node / median node, dial to last ACK', r => r.max_ms / r.median_ms, 'x', { least: 5, aim: 5, digits: 2 })
    put('  resident memory of the hub, peak', r => r.hub_mb, 'MB', { least: 256, aim: 256 })
  }
  if (only !== 'return') {
    const from = await enrolled('idle', LINKS, 0, say)
    say(`${LINKS} idle TLS links at a hub`)
    const r = await idle(from)
    say(`  up after ${r.up_s.toFixed(1)} s; the nodes use ${r.nodes_percent.toFixed(1)} % of one core`)
    figure(`${LINKS} idle TLS links: memory of the hub for each`, r.bytes / 1024, 'KB', { least: 64, aim: 40, lower: true })
    figure(`${LINKS} idle TLS links: CPU of the hub`, r.percent, '% of a core', { least: 3, aim: 1, lower: true, digits: 2 })
  }
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { figure, print } = await import('./table.mjs')
  await figures(console.log, figure)
  print()
  process.exit(0)
}
