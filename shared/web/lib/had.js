// Whether this browser has ever kept something: who comes for the first time needs none of the machinery.
const KEY = 'doorstep-kept'

export function hadKept() {
  try { return localStorage.getItem(KEY) === '1' } catch { return true }
}

export function noteKept() {
  try { localStorage.setItem(KEY, '1') } catch { /* then it is always asked */ }
}
