// Type size and theme of this browser, kept between visits; attributes on the root that the kit reads.
// A cookie says the same to the server, so that a page may come right at once.
import { reactive } from 'vue'

const root = document.documentElement
const KINDS = { size: ['elder', 'huge'], theme: ['light', 'dark', 'contrast'] }
export const modes = reactive({ size: '', theme: '' })

const keep = (k, v) => {
  try { v ? localStorage.setItem(k, v) : localStorage.removeItem(k) } catch { /* not kept */ }
  document.cookie = `${k}=${v}; Path=/; SameSite=Lax; Max-Age=${v ? 31536000 : 0}`
}

export function setMode(kind, value) {
  const v = KINDS[kind].includes(value) ? value : ''
  modes[kind] = v
  if (v) root.dataset[kind] = v
  else delete root.dataset[kind]
  keep(kind, v)
}

export function startModes() {
  for (const kind of Object.keys(KINDS)) {
    let v = ''
    try { v = localStorage.getItem(kind) || '' } catch { /* not kept */ }
    if (!KINDS[kind].includes(v)) continue
    modes[kind] = v
    root.dataset[kind] = v
  }
}
