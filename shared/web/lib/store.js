// What this browser keeps: drafts with their papers, receipts, unsent work. One database, every row with
// its owner ('' is the resident). Where the browser keeps nothing (private window), memory stands in
// and `kept()` is false, so that pages can say so.
import { openDB } from 'idb'
import { noteKept } from './had.js'

const STORES = ['drafts', 'papers', 'receipts', 'outbox', 'keys']
let opened = null
let durable = true
const memory = Object.fromEntries(STORES.map(s => [s, new Map()]))

export const kept = () => durable

function db() {
  opened ??= openDB('doorstep', 1, {
    upgrade(d) {
      for (const s of STORES) d.createObjectStore(s, { keyPath: 'id' })
    },
    blocking(_old, _new, e) { e.target.close(); opened = null },
  }).catch(() => { durable = false; return null })
  return opened
}

export async function put(store, row) {
  noteKept()
  const d = await db()
  if (d) await d.put(store, row)
  else memory[store].set(row.id, row)
}

export async function read(store, id) {
  const d = await db()
  return d ? d.get(store, id) : memory[store].get(id)
}

export async function drop(store, id) {
  const d = await db()
  if (d) await d.delete(store, id)
  else memory[store].delete(id)
}

/** Every row of a store that `fits`. */
export async function list(store, fits = () => true) {
  const d = await db()
  return (d ? await d.getAll(store) : [...memory[store].values()]).filter(fits)
}

/** Ask once that the browser does not clear this by itself. */
export const persist = () => navigator.storage?.persist?.().catch(() => false)
