// Deliveries on their way: what a press at the door needs before it, and the address as a door.
import { add, send, outbox } from '../lib/outbox.js'
import { session } from './session.js'

/** "柳岸路 18 号 12 幢 301 室" -> {house: '柳岸路 18 号 12 幢', room: '301 室'}; an address that cannot be parted is a house of its own. */
export function door(address) {
  const a = String(address || '').trim()
  const m = /^(.*?(?:\d+\s*(?:幢|栋|号楼|座|单元)|(?:弄|号)(?!楼)(?=\s*[\dA-Za-z]+\s*室)))\s*(.*)$/.exec(a) || /^(.*?\d+\s*(?:号|弄))\s*(.*)$/.exec(a)
  return m && m[2] ? { house: m[1].trim(), room: m[2].trim() } : { house: a, room: '' }
}

/** The steps that must come before one is at the door, by state and method. */
export function before(d) {
  if (d.method === 'pickup') return []
  const take = [{ action: 'pick_up' }]
  return { ordered: [{ action: 'assign', to: session.user.username }, ...take], failed: [{ action: 'assign', to: session.user.username }, ...take], assigned: take }[d.state] || []
}

/** Put a deed at the door into the outbox with what must come before it, in order. Resolves to the answer of the last. */
export async function deed(d, last, title) {
  const path = `/deliveries/${d.id}/actions`
  const steps = [...before(d), last]
  let out = { waiting: true }
  const ids = []
  for (const [i, body] of steps.entries()) ids.push(await add({ id: `${d.id}-${d.state}-${i}-${last.action}-${Date.now()}`, kind: 'delivery', title, path, body, meta: { id: d.id, name: d.recipient } }))
  for (const id of ids) {
    out = await send(id)
    if (out.waiting || out.problem) break
  }
  return { ...out, ids }
}

export const waitingFor = d => outbox.rows.filter(r => r.kind === 'delivery' && r.meta.id === d.id)
