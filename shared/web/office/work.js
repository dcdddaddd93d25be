// The open cases of this office as the desk works through them: all of them, so that counts, order and filters
// are true; read again when something changes. Rows that come while one looks wait behind "有 n 件新的".
import { computed, reactive } from 'vue'
import { all, get, line } from '../lib/api.js'
import { session } from './session.js'

const OPEN = ['submitted', 'accepted', 'granted', 'correction_required']
const MOST = 2000
const EVERY_MS = 20000
const LIGHTS = { red: 0, yellow: 1, green: 2, none: 3 }

export const work = reactive({ rows: [], fresh: [], state: 'loading', fault: '', more: false, at: 0, status: null, sites: [], items: [], deliveries: [], dstate: 'loading' })

export const siteName = code => work.sites.find(s => s.site === code)?.name || code || ''
export const here = computed(() => session.user?.site || '')
export const isNode = computed(() => work.status?.tier === 'community')
export const byDeadline = (a, b) => LIGHTS[a.light] - LIGHTS[b.light] || (a.promised_at || '9').localeCompare(b.promised_at || '9') || a.created_at.localeCompare(b.created_at)

/** Rows of a place: queue (in hand here), waiting (the resident's turn), elsewhere. */
export function rowsOf(place) {
  if (place === 'waiting') return work.rows.filter(r => r.state === 'correction_required')
  if (place === 'elsewhere') return work.rows.filter(r => r.custodian !== here.value && r.state !== 'correction_required')
  if (place === 'lights') return work.rows.filter(r => r.light === 'red' || r.light === 'yellow')
  if (place === 'open') return work.rows
  return work.rows.filter(r => r.custodian === here.value && r.state !== 'correction_required')
}

let reading = null
/** Read all open cases. `quiet`: rows that are new wait to be let in. */
export function readWork(quiet = false) {
  reading ??= (async () => {
    try {
      const parts = await Promise.all(OPEN.map(s => all('/cases?state=' + s, 'cases', MOST)))
      const rows = parts.flatMap(p => p.rows)
      work.more = parts.some(p => p.more)
      if (quiet && work.state === 'here') {
        const had = new Map(work.rows.map(r => [r.case_no, r]))
        const now = new Map(rows.map(r => [r.case_no, r]))
        work.fresh = rows.filter(r => !had.has(r.case_no))
        for (const r of work.rows) Object.assign(r, now.get(r.case_no) || {}, { gone: !now.has(r.case_no) })
        work.rows = work.rows.filter(r => !r.gone)
      } else {
        work.rows = rows
        work.fresh = []
      }
      work.state = 'here'
      work.fault = ''
      work.at = Date.now()
    } catch (e) {
      if (work.state !== 'here') work.state = e.status === 0 ? 'off' : 'error'
      work.fault = e.status === 0 ? '' : e.message
    }
  })().finally(() => { reading = null })
  return reading
}

export function letIn() {
  work.rows.push(...work.fresh)
  work.fresh = []
}

export async function readStatus() {
  work.status = await get('/status').catch(() => work.status)
}

export async function readDeliveries() {
  try {
    const parts = await Promise.all(['ordered', 'assigned', 'picked_up', 'in_transit', 'failed', 'returned'].map(s => all('/deliveries?state=' + s, 'deliveries', MOST)))
    work.deliveries = parts.flatMap(p => p.rows)
    work.dstate = 'here'
  } catch (e) {
    if (work.dstate !== 'here') work.dstate = e.status === 0 ? 'off' : 'error'
    work.fault = e.status === 0 ? '' : e.message
  }
}

let socket = null
let soon = 0
/** What this role needs, now and whenever the office says that something changed. */
export function startWork({ cases, deliveries }) {
  const again = () => {
    clearTimeout(soon)
    soon = setTimeout(() => {
      if (cases) readWork(true)
      if (deliveries) readDeliveries()
    }, 400)
  }
  get('/sites').then(x => { work.sites = x.sites || [] }).catch(() => {})
  get('/items').then(x => { work.items = x.items }).catch(() => {})
  readStatus()
  if (cases) readWork()
  if (deliveries) readDeliveries()
  setInterval(() => {
    if (document.visibilityState !== 'visible') return
    readStatus()
    again()
  }, EVERY_MS)
  listen(again)
}

function listen(again) {
  let wait = 2000
  const open = () => {
    socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`, 'doorstep.live.v1')
    socket.onmessage = e => {
      wait = 2000
      const m = JSON.parse(e.data)
      if (m.kind !== 'hello') again()
    }
    socket.onclose = () => {
      if (session.user) setTimeout(open, wait)
      wait = Math.min(60000, wait * 2)
    }
  }
  open()
}

/** The link of this site, as the eave says it: {state: '' | 'busy' | 'off', key, n}. */
export const wire = computed(() => {
  const l = work.status?.link
  if (!line.up) return { state: 'off', key: 'wire.off', n: 0 }
  if (l && l.state !== 'up') return { state: 'off', key: 'wire.parent', n: (l.unsent_events || 0) + (l.unsent_documents || 0) }
  const kids = work.status?.children || []
  if (!l && kids.length) return { state: '', key: 'wire.children', n: kids.filter(c => c.state === 'up').length, all: kids.length }
  return { state: '', key: 'wire.up', n: 0 }
})
