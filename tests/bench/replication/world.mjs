// The sites of the figures: a street hub with its district enrolled and not running, and a node. They are made once
// through the real programs, kept under build/bench/prepared while nothing that shapes them changes, and copied for
// every run.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../../../scripts/demo/client.mjs'
import { HUB, NODE, PASSWORD, SITES, Site, build, run, until } from '../../../scripts/demo/world.mjs'
import { plainItem } from '../items.mjs'

export const B = process.env.B || 'build'
export const EVENTS = Number(process.env.EVENTS || 50000)
const EVENTS_PER_CASE = 5
const CACHE = `${B}/bench/prepared`
const scratch = mkdtempSync(join(tmpdir(), 'doorstep-bench-'))
const children = new Set()
const open = new Set()
process.on('exit', () => {
  for (const c of children) c.kill('SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
})

export const temporary = name => mkdtempSync(join(scratch, `${name}-`))
export const median = list => {
  const a = [...list].sort((x, y) => x - y)
  return a.length % 2 ? a[a.length >> 1] : (a[a.length / 2 - 1] + a[a.length / 2]) / 2
}
export const quantile = (list, q) => [...list].sort((x, y) => x - y)[Math.min(list.length - 1, Math.floor(list.length * q))]
/** Peak resident memory of a process, MB. */
export const peak = pid => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
/** Milliseconds of CPU that each thread of a process has used, by its name. */
export function cpu(pid) {
  const ms = {}
  for (const t of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${t}/comm`, 'utf8').trim()
    ms[name] = (ms[name] ?? 0) + Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  }
  return ms
}
export const now_ns = () => Number(process.hrtime.bigint())

/** A process whose lines are read one by one; stopped by its pid at the end whatever happens. */
export class Helper {
  constructor(program, args, options = {}) {
    this.lines = []
    this.waiting = []
    this.name = program
    this.child = spawn(program, args.map(String), { stdio: [options.stdin ?? 'pipe', 'pipe', options.log ?? 'inherit'], ...options.spawn })
    children.add(this.child)
    this.child.stdin?.on('error', () => {})
    let rest = ''
    this.child.stdout.on('data', d => {
      const all = (rest + d).split('\n')
      rest = all.pop()
      for (const line of all) {
        const w = this.waiting.shift()
        if (w) w.ok(line)
        else this.lines.push(line)
      }
    })
    this.gone = new Promise(r => this.child.once('close', (code, signal) => {
      children.delete(this.child)
      this.over = true
      for (const w of this.waiting.splice(0)) w.no(new Error(`${program} ${args[0]} ended (${code ?? signal})`))
      r(code)
    }))
  }

  line() {
    if (this.lines.length) return Promise.resolve(this.lines.shift())
    if (this.over) return Promise.reject(new Error(`${this.name} has ended`))
    return new Promise((ok, no) => this.waiting.push({ ok, no }))
  }

  async json() { return JSON.parse(await this.line()) }

  async stop(signal = 'SIGTERM') {
    if (this.over) return
    this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 8000)
    await this.gone
    clearTimeout(timer)
  }
}

export const watch = (...args) => new Helper(`${B}/bench_watch`, args)

/** The counting (and, if asked, slow) line to a port of this machine. */
export class Line extends Helper {
  static async to(port, slow, own_port = 0) {
    const l = new Line(`${B}/bench_line`, [own_port, port, ...(slow ? [slow.bytes_per_s, slow.delay_ms, slow.queue_bytes] : [])])
    l.port = Number(/port=(\d+)/.exec(await l.line())[1])
    return l
  }

  async report() {
    this.child.kill('SIGUSR1')
    return this.json()
  }
}

/* ---- prepared folders ------------------------------------------------------------------------------------------ */

const catalogue = ['schema/catalogue/items', 'schema/catalogue/calendar'].flatMap(d => readdirSync(d).map(f => `${d}/${f}`)).filter(f => f.endsWith('.json'))

// What shapes a prepared folder; when one of these changes, or with FRESH=1, all are made anew. Not the programs: a
// folder of an older one is as good, and the next migration is run on it once.
function shape() {
  const h = createHash('sha256').update(`${EVENTS} `)
  const sql = readdirSync('schema/sql').map(f => `schema/sql/${f}`)
  for (const f of [...sql, ...catalogue, ...['filing', 'queue', 'stored'].map(n => `tests/bench/${n}.c`)]) h.update(f).update(readFileSync(f))
  return h.digest('hex')
}

let fresh = process.env.FRESH === '1'

async function makeBase(dir, say) {
  say('making a district, a street and a node ...')
  const w = await build(join(dir, 'all'), { catalogue, caseNumbers: 24000 })
  try {
    // Only then the account is there; a sign-in that fails too often is refused for a while.
    const told = site => site.status().children.every(c => c.unsent_events === 0)
    await until('the accounts to reach the node', () => told(w.district) && told(w.street))
    const agent = new Client(w.west.url)
    await agent.signIn('agent.west', PASSWORD)
    await until('its numbers', async () => (await agent.get('/status')).blocks?.length)
    const item = await plainItem(agent)
    await until('the sites to have told each other everything', () =>
      [w.street, w.west].every(s => s.status().link.unsent_events === 0))
    writeFileSync(join(dir, 'item'), item.code)
  } finally {
    await w.stop()
  }
  for (const s of ['street', 'west', 'east']) run('mv', [join(dir, 'all', s), join(dir, s)])
  rmSync(join(dir, 'all'), { recursive: true })
}

/** A prepared folder, made by make(folder) when it is not there yet. */
export async function prepared(name, make) {
  const key = shape()
  const stamp = join(CACHE, 'shape')
  if (fresh || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== key) {
    rmSync(CACHE, { recursive: true, force: true })
    mkdirSync(CACHE, { recursive: true })
    writeFileSync(stamp, key)
    fresh = false
  }
  const dir = join(CACHE, name)
  if (!existsSync(dir)) {
    rmSync(dir + '.new', { recursive: true, force: true })
    mkdirSync(dir + '.new')
    await make(dir + '.new')
    run('mv', [dir + '.new', dir])
  }
  return dir
}

export const base = say => prepared('base', dir => makeBase(dir, say))

/** The node's folder with work done while it was cut off: {dir, origin, events, seq, ...}. */
export async function queued(name, cases, { notes = 0, papers = 0, bytes = 0, items, site = 'west' } = {}, say) {
  const from = await base(say)
  const dir = await prepared(name, async fresh => {
    say(`making a queue of ${cases} cases at the node ...`)
    copyFolder(join(from, site), join(fresh, 'node'))
    const list = items ?? ['elderly-card', 'residence-registration']
    const made = JSON.parse(run(`${B}/bench_queue`, [join(fresh, 'node'), list.join(), cases, notes, papers, bytes].map(String), '', 600000))
    Object.assign(made, await watch('sizes', join(fresh, 'node', 'doorstep.db'), made.origin, made.seq - made.events).json())
    writeFileSync(join(fresh, 'queue.json'), JSON.stringify(made))
  })
  return { dir: join(dir, 'node'), ...JSON.parse(readFileSync(join(dir, 'queue.json'))) }
}

/** The queue of the main figure: EVENTS events, five for each case. */
export const mainQueue = say => queued('queue', Math.round(EVENTS / EVENTS_PER_CASE), {}, say)

export function copyFolder(from, to) {
  run('cp', ['-a', '--reflink=auto', from, to], '', 600000)
  spawnSync('sync', ['-f', to]) // what is copied must not be written while the clock runs
}

/* ---- a pair that runs ------------------------------------------------------------------------------------------- */

export function setParent(dir, url) {
  const path = join(dir, 'site.json')
  const j = JSON.parse(readFileSync(path))
  j.parent.url = url
  writeFileSync(path, JSON.stringify(j))
}

/** A street hub and a node on copies of the given folders, and the line between them. The node is not started. */
export class Pair {
  static async open({ street, west, slow, direct = false, keepStreet = false }) {
    const p = new Pair()
    p.dir = temporary('pair')
    p.dirs = { street: keepStreet ? street : join(p.dir, 'street'), west: join(p.dir, 'west') }
    if (!keepStreet) copyFolder(street, p.dirs.street)
    copyFolder(west, p.dirs.west)
    setParent(p.dirs.street, 'https://127.0.0.1:9') // the district is away: nobody listens there
    p.street = new Site(p.dirs.street, HUB, 'street')
    p.west = new Site(p.dirs.west, NODE, 'west')
    p.street.log = join(p.dir, 'street.log')
    open.add(p)
    try {
      const t = performance.now()
      await p.street.start()
      p.street_ready_s = (performance.now() - t) / 1000
      if (!direct) p.line = await Line.to(p.street.syncPort, slow)
      setParent(p.dirs.west, `https://127.0.0.1:${direct ? p.street.syncPort : p.line.port}`)
    } catch (e) {
      await p.close()
      throw e
    }
    return p
  }

  db(site) { return join(this.dirs[site], 'doorstep.db') }

  /** Start the node and wait until the hub holds all up to seq and the node knows; or see how far it came. */
  async catchUp({ parent, origin, seq }, timeout_s = 120) {
    const w = watch('wait', this.db('west'), parent, this.db('street'), origin, seq, timeout_s)
    await this.west.start()
    const seen = await w.json()
    const line = await this.line.report()
    return { ...seen, ...line, seconds: (seen.acked_ns - line.first_accept_ns) / 1e9 }
  }

  async agent() {
    const c = new Client(this.west.url)
    await c.signIn('agent.west', PASSWORD)
    return c
  }

  async linked() {
    const agent = await this.agent()
    await until('the link', async () => (await agent.get('/status')).link.state === 'up', 60000)
    return agent
  }

  async kill() {
    for (const s of [this.west, this.street]) await s.stop('SIGKILL')
  }

  async close() {
    if (!open.delete(this)) return
    const bad = []
    for (const s of [this.west, this.street]) await s.stop().catch(e => bad.push(e))
    await this.line?.stop()
    rmSync(this.dir, { recursive: true, force: true })
    if (bad.length) throw bad[0]
  }
}

export async function closeAll() {
  for (const p of [...open]) await p.close().catch(e => console.error(e.message))
}

export const megabytes = path => statSync(path).size / 1e6
export { HUB, NODE, SITES, run }
