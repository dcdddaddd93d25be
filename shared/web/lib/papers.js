// The papers of one filing (or one supplement) on their way: chosen, looked at, kept here, sent in the
// background, goes on after the page was closed. Nothing is asked of the network to go on working.
import { reactive } from 'vue'
import { kind } from './magic.js'
import { prepare } from './picture.js'
import { dropPaper, paperBlob, papersOf, savePaper } from './drafts.js'
import { fingerprint, upload } from './upload.js'
import { newKey } from './api.js'

const open = new Map()      // draft -> bag, so that leaving a page and coming back finds the same

/** Reactive {rows, ready}; rows are those of drafts.js with `thumb`, `share` and `state` sending | done | waiting | refused. */
export function papersFor(draft, owner) {
  if (open.has(draft)) return open.get(draft)
  const bag = reactive({ draft, owner, rows: [], ready: false })
  open.set(draft, bag)
  papersOf(draft).then(async rows => {
    for (const r of rows) bag.rows.push({ ...r, data: undefined, thumb: await thumb(r), share: 0 })
    bag.ready = true
    for (const r of bag.rows) if (!r.digest && r.state !== 'refused') start(bag, r.id)
  })
  return bag
}

/** Forget what is in memory of a draft (it is sent or discarded). */
export function closePapers(draft) {
  for (const r of open.get(draft)?.rows || []) {
    stops.get(r.id)?.abort()
    if (r.thumb) URL.revokeObjectURL(r.thumb)
  }
  open.delete(draft)
}

const stops = new Map()

async function thumb(row) {
  if (!/^image\//.test(row.type)) return ''
  const blob = await paperBlob(row)
  return blob ? URL.createObjectURL(blob) : ''
}

/** Look at a file before anything is done with it: {type} or {refused: 'heic' | ... | 'large' | 'empty'}. */
export async function inspect(file, material) {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer())
  if (!head.length) return { refused: 'empty' }
  const k = kind(head)
  if (k.refused) return k
  if (material.accept?.length && !material.accept.includes(k.type)) return { refused: 'kind', type: k.type }
  if (k.type === 'application/pdf' && file.size > (material.max_bytes || 10485760)) return { refused: 'large' }
  return k
}

/** Take a looked-at file in. The same file chosen again goes on where it stopped. */
export async function take(bag, material, file, type, edit = {}) {
  const print = await fingerprint(file)
  const had = bag.rows.find(r => r.material === material.code && r.print === print && !edit.turn && !edit.crop)
  if (had) {
    if (!had.digest) start(bag, had.id)
    return had
  }
  const source = file.type === type ? file : new Blob([file], { type })
  const { blob } = await prepare(source, edit)
  if (blob.size > (material.max_bytes || 10485760)) return { refused: 'large' }
  const row = {
    id: newKey().slice(0, 12), draft: bag.draft, owner: bag.owner, material: material.code, name: file.name || 'photo.jpg', type: blob.type,
    size: blob.size, print, digest: '', url: '', state: 'waiting', error: '', at: Date.now(),
  }
  await savePaper(row, blob)
  bag.rows.push({ ...row, thumb: /^image\//.test(blob.type) ? URL.createObjectURL(blob) : '', share: 0 })
  start(bag, row.id)
  return row
}

export async function remove(bag, id) {
  stops.get(id)?.abort()
  const i = bag.rows.findIndex(r => r.id === id)
  if (i < 0) return
  if (bag.rows[i].thumb) URL.revokeObjectURL(bag.rows[i].thumb)
  bag.rows.splice(i, 1)
  await dropPaper(id)
}

const keep = async (row, more) => {
  Object.assign(row, more)
  const { thumb: _t, share: _s, data: _d, ...plain } = row
  const whole = (await papersOf(row.draft)).find(p => p.id === row.id)
  if (whole) await savePaper({ ...whole, ...plain, data: whole.data })
}

async function start(bag, id) {
  if (stops.has(id)) return
  const row = bag.rows.find(r => r.id === id)
  const whole = (await papersOf(bag.draft)).find(p => p.id === id)
  const blob = whole && await paperBlob(whole)
  if (!row || !blob) return
  const stop = new AbortController()
  stops.set(id, stop)
  row.state = 'sending'
  row.error = ''
  try {
    const digest = await upload(blob, { name: row.name, url: row.url, keep: url => keep(row, { url }), progress: s => { row.share = s }, signal: stop.signal })
    await keep(row, { digest, state: 'done' })
  } catch (e) {
    if (!stop.signal.aborted) await keep(row, { state: 'refused', error: e.message })
  }
  stops.delete(id)
}

export const retry = (bag, id) => start(bag, id)
