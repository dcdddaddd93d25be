// What was pressed and not answered yet. Every piece has one Idempotency-Key for its whole life and its
// body never changes, so it may be sent as often as the line needs and is done once. It goes by itself
// when the line is back; papers that belong to it go first. A refusal is shown to its author.
import { reactive } from 'vue'
import { ask, line, newKey } from './api.js'
import { drop, list, put, read } from './store.js'
import { paperBlob, savePaper } from './drafts.js'
import { seal, unseal } from './seal.js'

const EVERY_MS = 5000

/** rows: [{id, kind, title, at, state: 'waiting' | 'sending' | 'refused', error, progress}] of the one who is here. */
export const outbox = reactive({ rows: [], owner: '' })
const done = new Map()      // id -> [resolve]
const listeners = new Set()

/** fn({row, body, answer, problem}) is called for every piece that was answered. Before it is dropped. */
export const onAnswer = fn => { listeners.add(fn); return () => listeners.delete(fn) }

export async function load(owner) {
  outbox.owner = owner
  outbox.rows = (await list('outbox', r => r.owner === owner)).sort((a, b) => a.at - b.at)
    .map(({ data, ...r }) => ({ ...r, state: r.state === 'sending' ? 'waiting' : r.state, progress: 0 }))
}

/**
 * Put a piece in: {id, kind, title, path, body, papers: [paper ids], key, draft, meta}. Resolves to its id.
 * A body may name a paper as {"paper": id}: the digest stands there when it is sent.
 */
export async function add({ id = newKey().slice(0, 12), kind, title, path, body, papers = [], key = newKey(), draft = '', meta = {} }) {
  const row = { id, owner: outbox.owner, kind, title, path, papers, key, draft, meta: JSON.parse(JSON.stringify(meta)), at: Date.now(), tries: 0, state: 'waiting', error: '' }
  await put('outbox', { ...row, data: await seal(JSON.parse(JSON.stringify(body))) })
  outbox.rows.push({ ...row, progress: 0 })
  return row.id
}

async function store(row, more) {
  Object.assign(row, more)
  const had = await read('outbox', row.id)
  if (had) await put('outbox', { ...had, ...more })
}

const fill = (x, digests) =>
  Array.isArray(x) ? x.map(y => fill(y, digests))
    : x && typeof x === 'object' ? ('paper' in x ? digests[x.paper] : Object.fromEntries(Object.entries(x).map(([k, v]) => [k, fill(v, digests)]))) : x

async function sendPapers(row) {
  const digests = {}
  let n = 0
  for (const id of row.papers) {
    const p = await read('papers', id)
    if (!p) continue
    if (!p.digest) {
      const { upload } = await import('./upload.js')
      const blob = await paperBlob(p)
      const share = s => { row.progress = (n + s) / row.papers.length }
      p.digest = await upload(blob, { name: p.name, url: p.url, keep: url => savePaper({ ...p, url }), progress: share })
      await savePaper({ ...p, state: 'done' })
    }
    digests[id] = p.digest
    row.progress = ++n / row.papers.length
  }
  return digests
}

/** One try. Resolves to {answer} | {problem} | {waiting: true}. */
async function attempt(row) {
  const kept = await read('outbox', row.id)
  if (!kept) {                                    // another tab has seen to it
    outbox.rows = outbox.rows.filter(r => r.id !== row.id)
    return { gone: true }
  }
  const body = await unseal(kept.data)
  if (!body) return { waiting: true }
  await store(row, { state: 'sending', tries: row.tries + 1, error: '' })
  let out
  try {
    const whole = fill(body, await sendPapers(row))
    const { json, replayed } = await ask('POST', row.path, whole, { 'Idempotency-Key': row.key })
    out = { row, body: whole, answer: json, replayed }
  } catch (e) {
    if (e.status === 0 || e.status === 401 || e.status === 429 || e.status >= 500) {
      await store(row, { state: 'waiting', error: e.status === 0 ? '' : e.message })
      return { waiting: true, problem: e }
    }
    out = { row, body, problem: e }
  }
  for (const fn of listeners) await fn(out)
  if (out.answer) await remove(row.id)
  else await store(row, { state: 'refused', error: out.problem.message })
  return out
}

export async function remove(id) {
  await drop('outbox', id)
  outbox.rows = outbox.rows.filter(r => r.id !== id)
}

/** Send one piece now, or wait for the try that is under way. */
export function send(id) {
  const row = outbox.rows.find(r => r.id === id)
  if (!row) return Promise.resolve({ waiting: false })
  if (!done.has(id)) done.set(id, attempt(row).finally(() => done.delete(id)))
  return done.get(id)
}

export async function sendAll() {
  for (const r of [...outbox.rows]) if (r.state === 'waiting') {
    const out = await send(r.id)
    if (out.waiting && !line.up) return
  }
}

/** Something of what waits, taken out again: only what was never tried may be taken back. */
export async function takeBack(id) {
  const row = outbox.rows.find(r => r.id === id)
  if (!row || (row.tries > 0 && row.state !== 'refused')) return false
  await remove(id)
  return true
}

let timer = 0
export function run() {
  if (timer) return
  timer = setInterval(() => { if (outbox.rows.some(r => r.state === 'waiting')) sendAll() }, EVERY_MS)
  addEventListener('online', () => sendAll())
}
