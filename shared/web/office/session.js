// Who is here. The page belongs to one person: what it writes says so, and when this browser is somebody
// else's in the meantime it covers itself and writes nothing. Another person, a sign-out, an end of the session:
// the page is loaded anew, so that nothing of the last one is left in any variable.
import { reactive } from 'vue'
import { Problem, call, get, post } from '../lib/api.js'
import { t } from '../lib/i18n.js'
import * as sealing from '../lib/seal.js'

const KEY = 'doorstep-who'
export const session = reactive({ state: 'unknown', user: null, over: false, other: null, fault: '' })

const kept = () => { try { return JSON.parse(localStorage.getItem(KEY) || 'null') } catch { return null } }
const keep = u => { try { u ? localStorage.setItem(KEY, JSON.stringify(u)) : localStorage.removeItem(KEY) } catch { /* then the server alone watches */ } }

/** Before each write: is this browser, and is the session (`said`), still the one whom the page shows? */
export function guard(path, said = null) {
  if (path.startsWith('/sessions')) return
  const now = said || kept()
  if (!session.user || !now || now.username === session.user.username) return
  session.other = now
  throw new Problem(409, { code: 'another-user', detail: t('other.text', { name: now.name }) })
}

function look() {
  if (!session.user) return
  const now = kept()
  if (!now) fresh()
  else if (now.username !== session.user.username) session.other = now
  else session.other = null
}

/** Begin again with nothing in memory. */
export function fresh(to = '#/') {
  history.replaceState(null, '', location.pathname + location.search + to)
  location.reload()
}

export async function boot() {
  addEventListener('storage', e => { if (e.key === KEY || e.key === null) look() })
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') look() })
  try {
    session.user = (await get('/sessions/current')).user
    keep(session.user)
  } catch (e) {
    // Without the site the page still opens for the one who was here: his drafts lie in this browser.
    session.user = e.status === 0 ? kept() : null
    if (e.status === 401) keep(null)
    if (e.status !== 0 && e.status !== 401) session.fault = e.message
  }
  if (session.user) await sealing.openKept(session.user.username)
  session.state = session.user ? 'in' : 'out'
}

export async function signIn(username, password) {
  const { user } = await post('/sessions', { username, password })
  await sealing.openWith(user.username, password)
  keep(user)
  return user
}

export async function signOut() {
  await call('DELETE', '/sessions/current').catch(() => {})
  await sealing.close()
  keep(null)
  fresh()
}

/** The session has ended: the password is asked over the page. Resolves to true when the same person is back. */
let waiting = null
let answer = null
export function renew() {
  if (!session.user) return Promise.resolve(false)
  session.over = true
  waiting ??= new Promise(done => { answer = done })
  return waiting
}
export async function renewed(user) {
  session.over = false
  const same = user?.username === session.user.username
  answer?.(same)
  waiting = answer = null
  if (!same) fresh()
}
