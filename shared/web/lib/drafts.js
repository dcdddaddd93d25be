// Filings that are not sent yet, with their papers, as this browser keeps them. Every change is written
// at once; a draft is taken up where it was left.
import { reactive, watch } from 'vue'
import { newKey } from './api.js'
import { drop, list, put, read } from './store.js'
import { seal, sealed, unseal } from './seal.js'

const gone = new Set()

export function fresh(item) {
  return {
    applicant: { name: '', id_number: '', mobile: '' },
    community: '',
    form: Object.fromEntries((item.form || []).map(f => [f.name, ''])),
    materials: Object.fromEntries((item.materials || []).map(m => [m.code, { later: false, commitment: false }])),
    delivery: { method: (item.delivery || ['pickup'])[0], address: '' },
    promise: false,
    seen: [],           // steps that were answered and found right
  }
}

/** A new draft of `item` for `owner` ('' is the resident), with its definition, so that it works without a line. Resolves to its id. */
export async function begin(item, owner, first = {}) {
  const id = newKey().slice(0, 12)
  await put('drafts', {
    id, owner, item: item.code, item_name: item.name, item_name_en: item.name_en || '', at: Date.now(), step: '', state: 'open',
    key: newKey(), def: JSON.parse(JSON.stringify(item)), data: await seal({ ...fresh(item), ...JSON.parse(JSON.stringify(first)) }),
  })
  return id
}

export const mine = async owner =>
  (await list('drafts', d => d.owner === owner)).sort((a, b) => b.at - a.at)

/** Papers of a draft, oldest first; each {id, draft, material, name, type, size, print, digest, url, state, error}. */
export const papersOf = async draft =>
  (await list('papers', p => p.draft === draft)).sort((a, b) => a.at - b.at)

export const paperBlob = async p => unseal(p.data)

export async function savePaper(p, blob) {
  const row = { ...p }
  if (blob) row.data = await seal(blob)
  await put('papers', plain(row))
}
// IndexedDB takes no reactive proxies: everything but the sealed data is copied.
const plain = ({ data, ...rest }) => ({ ...JSON.parse(JSON.stringify(rest)), data })

export const dropPaper = id => drop('papers', id)

export async function discard(id) {
  gone.add(id)
  for (const p of await papersOf(id)) await drop('papers', p.id)
  await drop('drafts', id)
}

/**
 * A draft opened for work: {row, data, saved (ms), save()}; null when it is not here or sealed by another.
 * `data` is reactive and written by itself.
 */
export async function open(id) {
  const row = await read('drafts', id)
  const kept = row && await unseal(row.data)
  if (!kept) return null
  const d = reactive({ row: { ...row, data: null }, data: kept, saved: row.at })
  let running = null
  let again = false
  const write = async () => {
    if (gone.has(id)) return
    const at = Date.now()
    const plain = JSON.parse(JSON.stringify(d.data))
    await put('drafts', { ...JSON.parse(JSON.stringify(d.row)), at, data: sealed() ? await seal(plain) : { open: plain } })
    d.saved = at
  }
  // One write at a time; what changed meanwhile goes with the next. Nothing waits for a timer: a reload
  // or a kill right after a key loses at most that key.
  const save = () => {
    again = true
    running ??= (async () => {
      while (again) {
        again = false
        await write()
      }
    })().finally(() => {
      running = null
      if (again) save()
    })
    return running
  }
  const stop = watch(() => [d.data, d.row.step, d.row.state], save, { deep: true })
  return Object.assign(d, {
    save,
    close() {
      stop()
      return running
    },
  })
}
