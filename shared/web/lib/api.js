// Calls to /api/v1. A refused call throws a Problem (RFC 9457) whose text is already in the page's
// language; a lost line throws one with status 0. A page of the office says with every write whom it
// shows (Doorstep-User): the office refuses what another person's cookie would have signed.
import { reactive } from 'vue'
import { lang } from './i18n.js'

export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || String(status))
    this.status = status
    this.body = body
    this.code = body.code || ''
  }
}

const TIMEOUT_MS = 20000
const how = { credentials: 'omit', user: () => '', guard: () => {}, renew: async () => false }
const open = path => path.startsWith('/sessions')

/** What this browser knows of the line to its site. */
export const line = reactive({ up: true, since: 0 })

export const credentials = () => how.credentials

/** Once, by a page's start: credentials; whom it shows; a guard before each write; what a 401 does. */
export const configure = o => Object.assign(how, o)

function heard(up) {
  if (line.up === up) return
  line.up = up
  line.since = up ? 0 : Date.now()
}

async function once(method, path, body, headers) {
  if (method !== 'GET') how.guard(path)
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
  let res, text
  try {
    res = await fetch('/api/v1' + path, {
      method,
      credentials: how.credentials,
      signal: stop.signal,
      headers: {
        'Accept-Language': lang(),
        ...(method !== 'GET' && how.user() ? { 'Doorstep-User': how.user() } : {}),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    text = await res.text()
  } catch {
    heard(false)
    throw new Problem(0, { code: 'offline' })
  } finally {
    clearTimeout(timer)
  }
  heard(true)
  let json = {}
  try { json = text ? JSON.parse(text) : {} } catch { json = { detail: text.slice(0, 200) } }
  if (!res.ok) throw new Problem(res.status, json)
  return { json, etag: res.headers.get('ETag') || '', replayed: res.headers.get('Idempotency-Replayed') === 'true' }
}

/**
 * Some writes are open to residents too, and the office would take them without a session as a resident's: a page
 * that shows a person asks first whose the session is. Throws 401 when it is over.
 */
async function own() {
  const { json } = await once('GET', '/sessions/current')
  how.guard('', json.user)
}

/** The whole answer: {json, etag, replayed}. */
export async function ask(method, path, body, headers = {}) {
  const go = async () => {
    if (method !== 'GET' && how.user() && !open(path)) await own()
    return once(method, path, body, headers)
  }
  try {
    return await go()
  } catch (e) {
    if (e.status !== 401 || open(path) || !(await how.renew())) throw e
    return go()
  }
}

export const call = async (...a) => (await ask(...a)).json
export const get = path => call('GET', path)
export const post = (path, body, headers) => call('POST', path, body, headers)

/** A fresh Idempotency-Key: kept by the caller for as long as it repeats one and the same request. */
export function newKey() {
  const b = new Uint8Array(16)
  crypto.getRandomValues(b)
  return [...b].map(x => x.toString(16).padStart(2, '0')).join('')
}

/** All pages of a list up to `most` rows: {rows, more}. */
export async function all(path, name, most = 2000) {
  const rows = []
  let next = ''
  do {
    const sep = path.includes('?') ? '&' : '?'
    const page = await get(`${path}${sep}limit=200${next ? '&cursor=' + encodeURIComponent(next) : ''}`)
    rows.push(...page[name])
    next = page.next || ''
  } while (next && rows.length < most)
  return { rows, more: !!next }
}
