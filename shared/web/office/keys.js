// Keys of the desk: each page names its own; none works while one types or while a dialog is open.
import { onMounted, onUnmounted, reactive } from 'vue'

let on = true
try { on = localStorage.getItem('keys') !== 'off' } catch { /* on */ }
export const keys = reactive({ on, help: false })

export function toggleKeys() {
  keys.on = !keys.on
  try { localStorage.setItem('keys', keys.on ? 'on' : 'off') } catch { /* for this page only */ }
}

/** useKeys({n: fn, ' ': fn, Enter: fn}): letters work in either case. */
export function useKeys(map) {
  const press = e => {
    if (!keys.on || e.ctrlKey || e.altKey || e.metaKey || document.querySelector('dialog[open]')) return
    const el = e.target
    if (el.isContentEditable || /^(TEXTAREA|SELECT)$/.test(el.tagName) || (el.tagName === 'INPUT' && !/^(checkbox|radio|button)$/.test(el.type))) return
    const k = e.key.length === 1 ? e.key.toLowerCase() : e.key
    if ((k === 'Enter' || k === ' ') && el.closest?.('a, button, summary, input, label')) return
    const fn = map[k]
    if (!fn) return
    e.preventDefault()
    fn(e)
  }
  onMounted(() => addEventListener('keydown', press))
  onUnmounted(() => removeEventListener('keydown', press))
}
