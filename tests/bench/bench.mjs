// `make bench`: figures of the main job on this machine, through the public interfaces, durable.
// Never a timed test: it prints what it measured and fails only when something did not work.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir, cpus } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { HUB, PASSWORD, SITES, Site, build, run, sleep, until } from '../../scripts/demo/world.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { person, plainItem } from './items.mjs'
import { logWaits, waitsIn } from './waits.mjs'

const B = process.env.B || 'build'
const N = Number(process.env.N || 2000)
const QUEUED = Number(process.env.QUEUED || 20000)
const CASES = Number(process.env.CASES || 100000)
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const dir = mkdtempSync(join(tmpdir(), 'doorstep-bench-'))
const rss = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const out = {}
const say = (k, v, unit) => { out[k] = { value: v, unit }; console.log(`${k.padEnd(52)} ${v} ${unit}`) }

async function many(client, item, n, width, from = 0) {
  const lat = []
  let next = from
  await Promise.all([...Array(width)].map(async () => {
    while (next < from + n) {
      const i = next++
      const t = performance.now()
      await client.post('/cases', filing(item, person(i), [], 'pickup'))
      lat.push(performance.now() - t)
    }
  }))
  return lat.sort((a, b) => a - b)
}

const w = await build(join(dir, 'w'), { catalogue: [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')], caseNumbers: 22000 })
try {
  await sleep(1500)
  say('idle hub, resident memory', rss(w.street.child.pid).toFixed(1), 'MB')
  say('idle node, resident memory', rss(w.east.child.pid).toFixed(1), 'MB')

  const agent = await until('the agent', async () => { const c = new Client(w.west.url); await c.signIn('agent.west', PASSWORD); return c })
  const item = await plainItem(agent)

  w.links.west.down()
  let t = performance.now()
  const lat = await many(agent, item, N, 32)
  say('cases filed per second, durable, 32 callers', (N / ((performance.now() - t) / 1000)).toFixed(0), 'cases/s')
  say('filing, p50 / p99', `${lat[N >> 1].toFixed(1)} / ${lat[Math.floor(N * 0.99)].toFixed(1)}`, 'ms')
  const c = await agent.post('/cases', filing(item, person(N + 1), [], 'pickup'))
  const one = []
  for (let i = 0; i < 50; i++) {
    const x = await agent.post('/cases', filing(item, person(N + 10 + i), [], 'pickup'))
    t = performance.now()
    await agent.post(`/cases/${x.case_no}/actions`, { action: 'complete' })
    one.push(performance.now() - t)
  }
  one.sort((a, b) => a - b)
  say('completion of one case, p50', one[25].toFixed(1), 'ms')
  void c

  const unsent = async () => (await agent.get('/status')).link.unsent_events
  let made = await unsent()
  for (let from = N + 100; made < QUEUED && from < 9000 * 10; from += 500) {
    try { await many(agent, item, 500, 32, from) } catch { break }      // the day's numbers are used up
    made = await unsent()
  }
  const waits = [w.west, w.street].map(logWaits)
  w.links.west.bytes = 0
  w.links.west.up()
  await until('the link', async () => (await agent.get('/status')).link.state === 'up', 60000)
  t = performance.now()
  await until('the catch-up', async () => (await unsent()) === 0, 120000)
  const s = (performance.now() - t) / 1000
  say(`catch-up of ${made} queued events (from the link's hello)`, (made / s).toFixed(0), 'events/s')
  const stood = [w.west, w.street].map((x, i) => { const l = logWaits(x); return `${l.times - waits[i].times} x, ${l.ms - waits[i].ms}` })
  say('of it the writer stood before a full log, node / hub', stood.join(' / '), 'ms')
  say('bytes on the wire per event, with TLS', (w.links.west.bytes / made).toFixed(0), 'bytes')
  say('memory after it, node / hub', `${rss(w.west.child.pid).toFixed(1)} / ${rss(w.street.child.pid).toFixed(1)}`, 'MB')

  const flat = spawnSync(`${B}/bench_log`, ['1024', dir], { encoding: 'utf8' })
  if (flat.status !== 0) throw new Error(`bench_log: ${flat.stderr}`)
  const { mb_per_s, seconds, log_mb } = JSON.parse(flat.stdout)
  const { times, ms } = waitsIn(flat.stderr)
  say('the store written flat out, 1 GB in jobs of 64 KB', mb_per_s.toFixed(0), 'MB/s')
  say('of it the writer stood before a full log', `${times} x, ${(ms / seconds / 10).toFixed(1)}`, '%')
  say('the longest that the log became', log_mb.toFixed(1), 'MB')

  const big = new Site(join(dir, 'big'), HUB, 'big')
  run(HUB, ['init', '--data', big.dir, '--site', '331004000000', '--name', '样例区'])
  run(HUB, ['catalogue', 'import', '--data', big.dir, ...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')])
  run(`${B}/bench_fill`, [big.dir, item.code, String(CASES)], '', 300000)
  t = performance.now()
  await big.start()
  say(`start of a hub with ${CASES} cases, until ready`, (performance.now() - t).toFixed(0), 'ms')
  await big.stop()
} finally {
  await w.stop()
  rmSync(dir, { recursive: true, force: true })
}
mkdirSync(`${B}/bench`, { recursive: true })
writeFileSync(`${B}/bench/bench.json`, JSON.stringify({ machine: `${cpus().length} x ${cpus()[0].model}`, ...out }, null, 1))
