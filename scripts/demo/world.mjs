// Real processes on loopback: a district, a street and two nodes, each in a data folder of its own,
// and a link that can be cut. Everything started here is stopped here, by its pid.
import { spawn, spawnSync } from 'node:child_process'
import { createServer, connect } from 'node:net'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from './client.mjs'

const B = process.env.B || 'build'
export const HUB = `${B}/doorstep-hub`
export const NODE = `${B}/doorstep-node`
// How long anything here is waited for before it counts as hung. Far more than it ever takes: a busy machine is not a fault.
export const PATIENCE_MS = 120000
export const PATIENT = { timeout: 4 * PATIENCE_MS } // of a test, or of what comes before all
export const sleep = ms => new Promise(r => setTimeout(r, ms))

/** Run a command to its end; throws with its own words when it fails. */
export function run(program, args, input = '', timeout = PATIENCE_MS) {
  const r = spawnSync(program, args, { input, encoding: 'utf8', timeout })
  if (r.status !== 0)
    throw new Error(`${program} ${args.join(' ')}: exit ${r.status ?? r.signal}\n${r.stderr || ''}${r.stdout || ''}`)
  return r.stdout.trim()
}

/** The same without stopping this process, which may be the line that the command talks over. */
export function runBeside(program, args) {
  return new Promise((ok, no) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    for (const s of [child.stdout, child.stderr]) s.on('data', d => { out += d })
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) ok(out.trim())
      else no(new Error(`${program} ${args.join(' ')}: exit ${code ?? signal}\n${out}`))
    })
  })
}

/** The answer of `probe` as soon as it is truthy. */
export async function until(what, probe, timeout_ms = PATIENCE_MS, every_ms = 50) {
  const end = Date.now() + timeout_ms
  let last
  while (Date.now() < end) {
    try {
      const v = await probe()
      if (v) return v
      last = undefined
    } catch (e) { last = e }
    await sleep(every_ms)
  }
  throw new Error(`waited ${timeout_ms / 1000} s for ${what}${last ? ': ' + last.message : ''}`)
}

export class Site {
  constructor(dir, program, name, { port = 0, syncPort = 0 } = {}) {
    Object.assign(this, { dir, program, name, port, syncPort, child: null, kills: 0 })
    this.log = join(dir, '..', `${name}.log`)
  }

  async start(extra = [], env = {}) {
    const args = ['run', '--data', this.dir, '--listen', `127.0.0.1:${this.port}`]
    if (/doorstep-hub$/.test(this.program)) args.push('--sync-listen', `127.0.0.1:${this.syncPort}`)
    const child = spawn(this.program, [...args, ...extra], {
      stdio: ['ignore', 'pipe', openSync(this.log, 'a')], env: { ...process.env, ...env },
    })
    this.child = child
    let out = ''
    await new Promise((ready, fail) => {
      const timer = setTimeout(() => fail(new Error(`${this.name} was not ready in ${PATIENCE_MS / 1000} s; see ${this.log}`)), PATIENCE_MS)
      child.stdout.on('data', d => {
        out += d
        const m = /ready http=(\d+)(?: sync=(\d+))?/.exec(out)
        if (m) {
          clearTimeout(timer)
          this.port = Number(m[1])
          if (m[2]) this.syncPort = Number(m[2])
          ready()
        }
      })
      child.once('exit', (code, signal) => {
        clearTimeout(timer)
        fail(new Error(`${this.name} ended (${code ?? signal}) before it was ready: ${this.tail()}`))
      })
    })
    this.url = `http://127.0.0.1:${this.port}`
    this.api = new Client(this.url)
    return this
  }

  tail() {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().split('\n').slice(-3).join(' | ') : ''
  }

  async stop(signal = 'SIGTERM') {
    const c = this.child
    if (!c || c.exitCode !== null || c.signalCode !== null) return
    const gone = new Promise(r => c.once('exit', r))
    c.kill(signal)
    const timer = setTimeout(() => c.kill('SIGKILL'), PATIENCE_MS)
    await gone
    clearTimeout(timer)
    if (signal === 'SIGTERM' && c.exitCode !== 0) throw new Error(`${this.name} did not end well (${c.exitCode ?? c.signalCode}): ${this.tail()}`)
  }

  /** SIGKILL and start again on the same ports. */
  async crash() {
    await this.stop('SIGKILL')
    this.kills++
    await this.start()
  }

  status() { return JSON.parse(run(this.program, ['status', '--data', this.dir, '--json'])) }
}

/** A TCP link that can be cut: while cut it refuses and drops every connection. */
export class Link {
  constructor() {
    this.cut = false
    this.bytes = 0
    this.sockets = new Set()
  }

  async open(target, port = 0) {
    this.server = createServer(a => {
      if (this.cut) return a.destroy()
      const b = connect(target(), '127.0.0.1')
      for (const [s, o] of [[a, b], [b, a]]) {
        this.sockets.add(s)
        s.on('data', d => { this.bytes += d.length })
        s.pipe(o)
        s.on('error', () => {})
        s.on('close', () => { this.sockets.delete(s); o.destroy() })
      }
    })
    await new Promise(r => this.server.listen(port, '127.0.0.1', r))
    this.port = this.server.address().port
    return this
  }

  down() {
    this.cut = true
    for (const s of this.sockets) s.destroy()
  }

  up() { this.cut = false }

  close() {
    this.down()
    this.server.close()
  }
}

export const PASSWORD = 'doorstep-demo-2026'
export const SITES = {
  district: { site: '331002000000', name: '椒江区' },
  street: { site: '331002003000', name: '葭沚街道' },
  east: { site: '331002003901', name: '东平社区' },
  west: { site: '331002003902', name: '西平社区' },
}
export const ACCOUNTS = [
  { username: 'admin', name: '管理员', role: 'admin', site: SITES.district.site },
  { username: 'supervisor', name: '督查员', role: 'supervisor', site: SITES.district.site },
  { username: 'clerk', name: '窗口甲', role: 'clerk', site: SITES.street.site },
  { username: 'dispatcher', name: '寄递员', role: 'dispatcher', site: SITES.street.site },
  { username: 'courier', name: '快递员', role: 'courier', site: SITES.street.site },
  { username: 'agent.east', name: '代办员东', role: 'agent', site: SITES.east.site },
  { username: 'agent.west', name: '代办员西', role: 'agent', site: SITES.west.site },
]

/** Make and start the four sites under `dir` (emptied first). `ports` fixes the public ports; `programs` says which program a
 *  site has, by its name; `nodes` which nodes there are. */
export async function build(dir, { ports = {}, programs = {}, nodes = ['east', 'west'], catalogue, caseNumbers = 1000, say = () => {} }) {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const w = { dir, links: {} }
  const at = n => join(dir, n)
  w.district = new Site(at('district'), programs.district ?? HUB, 'district', { port: ports.district || 0 })
  w.street = new Site(at('street'), programs.street ?? HUB, 'street', { port: ports.street || 0 })
  w.east = new Site(at('east'), programs.east ?? NODE, 'east', { port: ports.east || 0 })
  w.west = new Site(at('west'), programs.west ?? NODE, 'west', { port: ports.west || 0 })
  w.all = [w.district, w.street, ...nodes.map(n => w[n])]
  w.stop = async () => {
    for (const l of Object.values(w.links)) l.close()
    await Promise.all(w.all.map(s => s.stop()))
  }
  try {
    run(w.district.program, ['init', '--data', w.district.dir, '--site', SITES.district.site, '--name', SITES.district.name])
    run(w.district.program, ['catalogue', 'import', '--data', w.district.dir, ...catalogue])
    await w.district.start()
    say(`district hub ${w.district.url}`)

    const invite = (hub, s) => run(hub.program, ['invite', '--data', hub.dir, '--site', s.site, '--name', s.name, '--case-numbers', String(caseNumbers)]).split('\n').pop().trim()
    run(w.street.program, ['init', '--data', w.street.dir, '--site', SITES.street.site, '--name', SITES.street.name,
      '--parent', `https://127.0.0.1:${w.district.syncPort}`, '--invitation', invite(w.district, SITES.street)])
    await w.street.start()
    say(`street hub ${w.street.url}`)

    for (const n of nodes) {
      w.links[n] = await new Link().open(() => w.street.syncPort)
      w[n].invitation = invite(w.street, SITES[n])
      // The street was enrolled a moment ago: it gets its past first, and lets nobody in before.
      await until(`${n} to be let in`, () => runBeside(NODE, ['init', '--data', w[n].dir, '--parent', `https://127.0.0.1:${w.links[n].port}`, '--invitation', w[n].invitation]))
      await w[n].start()
      say(`community node ${SITES[n].name} ${w[n].url}`)
    }
    for (const a of ACCOUNTS)
      run(HUB, ['user', 'add', '--data', w.district.dir, '--username', a.username, '--name', a.name, '--role', a.role,
        '--site', a.site, '--password-stdin'], PASSWORD + '\n')
    // Only what is told is there; a sign-in that fails too often is refused for a while.
    for (const hub of [w.district, w.street])
      await until(`the accounts below ${hub.name}`, () => hub.status().children.every(c => c.unsent_events === 0))
    for (const { username, site } of ACCOUNTS)
      await w.all.find(s => SITES[s.name].site === site)?.api.post('/sessions', { username, password: PASSWORD })
  } catch (e) {
    await w.stop()
    throw e
  }
  return w
}
