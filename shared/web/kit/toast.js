// Short words about what has just happened, in a region that is always there.
import { reactive } from 'vue'

export const toasts = reactive([])
const STAY_MS = 8000
let n = 0

/** say('已派 6 件给沈桂芳', {undo: {label, fn}}) */
export function say(text, { undo = null, bad = false } = {}) {
  const one = { id: ++n, text, undo, bad, held: false }
  toasts.push(one)
  const end = () => {
    const at = toasts.find(x => x.id === one.id)
    if (at?.held) return setTimeout(end, 1000)
    drop(one.id)
  }
  setTimeout(end, STAY_MS)
}

export function drop(id) {
  const i = toasts.findIndex(x => x.id === id)
  if (i >= 0) toasts.splice(i, 1)
}
