// The places of work of each role, and where each role lands.
import { computed } from 'vue'
import { t } from '../lib/i18n.js'
import { outbox } from '../lib/outbox.js'
import { rowsOf, work } from './work.js'
import { session } from './session.js'

const OUT = ['ordered', 'assigned', 'picked_up', 'in_transit', 'failed']
const doors = () => work.deliveries.filter(d => OUT.includes(d.state))
const unsent = () => outbox.rows.length
const red = () => work.rows.filter(r => r.light === 'red' || r.light === 'yellow').length

const P = {
  today: { to: '/today', icon: 'home', tally: () => rowsOf('queue').length + work.deliveries.filter(d => d.method === 'agent' && OUT.includes(d.state)).length },
  cases: { to: '/cases', icon: 'list' },
  file: { to: '/file', icon: 'plus' },
  unsent: { to: '/unsent', icon: 'send', tally: unsent },
  queue: { to: '/queue', icon: 'list', tally: () => rowsOf('queue').length },
  waiting: { to: '/waiting', icon: 'edit', tally: () => rowsOf('waiting').length },
  elsewhere: { to: '/elsewhere', icon: 'site', tally: () => rowsOf('elsewhere').length, wide: true },
  done: { to: '/done', icon: 'check', wide: true },
  board: { to: '/board', icon: 'box', tally: () => doors().length },
  back: { to: '/returned', icon: 'turn', tally: () => work.deliveries.filter(d => d.state === 'returned').length },
  round: { to: '/round', icon: 'pin', tally: () => doors().length },
  delivered: { to: '/delivered', icon: 'check' },
  figures: { to: '/figures', icon: 'chart' },
  lights: { to: '/lights', icon: 'alert', tally: red },
  all: { to: '/open', icon: 'list' },
  sites: { to: '/sites', icon: 'site', tally: () => (work.status?.children || []).filter(c => c.state !== 'up').length },
  accounts: { to: '/accounts', icon: 'user' },
  items: { to: '/items', icon: 'doc' },
  upkeep: { to: '/upkeep', icon: 'key', tally: () => work.status?.repairs || 0 },
}
const ROLES = {
  agent: ['today', 'cases', 'file', 'unsent'],
  clerk: ['queue', 'waiting', 'file', 'board', 'elsewhere', 'done'],
  reviewer: ['queue', 'waiting', 'done'],
  dispatcher: ['board', 'back', 'done'],
  courier: ['round', 'delivered', 'unsent'],
  supervisor: ['figures', 'lights', 'all', 'sites', 'done'],
  admin: ['accounts', 'sites', 'items', 'upkeep'],
}

/** What the program has to read for a role. */
export const needs = role => ({ cases: ['agent', 'clerk', 'reviewer', 'supervisor'].includes(role), deliveries: ['agent', 'clerk', 'dispatcher', 'courier'].includes(role) })

export const landing = role => P[(ROLES[role] || ['done'])[0]].to
export const allowed = path => (ROLES[session.user?.role] || []).some(k => P[k].to === path)

export function usePlaces(route) {
  return computed(() => (ROLES[session.user?.role] || []).map(k => ({
    to: P[k].to, icon: P[k].icon, wide: P[k].wide, label: t('place.' + k), tally: P[k].tally?.() || 0,
    here: route.path === P[k].to || route.meta.place === k || (route.meta.place === 'mine' && P[k].to === (route.query.from || landing(session.user.role))),
  })))
}
