// What the tests of the front door share: one hub alone, and requests written byte by byte.
import { connect } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HUB, PASSWORD, Site, run } from '../../scripts/demo/world.mjs'

const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)

/** A district that stands alone, with an admin; `users`: [username, role]. */
export async function hub(name, { users = [['supervisor', 'supervisor']], catalogue = false, extra = [], env = {}, conf } = {}) {
  const dir = mkdtempSync(join(tmpdir(), `doorstep-${name}-`))
  const site = new Site(join(dir, 'd'), HUB, 'd')
  site.root = dir
  run(HUB, ['init', '--data', site.dir, '--site', '331002000000', '--name', '椒江区'])
  if (catalogue) run(HUB, ['catalogue', 'import', '--data', site.dir, ...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')])
  for (const [u, r] of users)
    run(HUB, ['user', 'add', '--data', site.dir, '--username', u, '--name', u, '--role', r, '--site', '331002000000', '--password-stdin'], PASSWORD + '\n')
  if (conf) {
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(site.dir, 'doorstep.conf'), conf)
  }
  site.clean = async () => {
    await site.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  await site.start(extra, env)
  return site
}

/** A connection that is open; bytes gather in .text. */
export function open(port, host = '127.0.0.1') {
  return new Promise((ok, no) => {
    const s = connect(port, host)
    s.text = ''
    s.setEncoding('latin1')
    s.on('data', d => { s.text += d })
    s.ended = new Promise(r => s.once('close', r))
    s.once('connect', () => ok(s))
    s.once('error', no)
  })
}

/** One answer at the front of text: { status, headers, body, rest }, or null while it is not whole. */
export function parse(text, head = false) {
  const at = text.indexOf('\r\n\r\n')
  if (at < 0) return null
  const [line, ...lines] = text.slice(0, at).split('\r\n')
  const headers = {}
  for (const l of lines) headers[l.slice(0, l.indexOf(':')).toLowerCase()] = l.slice(l.indexOf(':') + 1).trim()
  const length = head ? 0 : Number(headers['content-length'] ?? 0)
  if (text.length < at + 4 + length) return null
  return { status: Number(line.split(' ')[1]), headers, body: Buffer.from(text.slice(at + 4, at + 4 + length), 'latin1').toString(), rest: text.slice(at + 4 + length) }
}

/** Send bytes, get the first answer; the connection is ended afterwards. */
export async function raw(port, bytes, { head = false, timeout_ms = 8000 } = {}) {
  const s = await open(port)
  s.write(bytes)
  const end = Date.now() + timeout_ms
  try {
    for (;;) {
      const a = parse(s.text, head)
      if (a && a.status !== 100) return a
      if (a) s.text = a.rest
      if (s.destroyed || Date.now() > end) throw new Error(`no answer to ${JSON.stringify(bytes.toString().slice(0, 120))}: ${JSON.stringify(s.text.slice(0, 200))}`)
      await new Promise(r => setTimeout(r, 5))
    }
  } finally { s.destroy() }
}
