// Whether this browser has ever kept something: who comes for the first time needs none of the machinery.
// The mark is quick to read but may be lost with a kill; then the browser is asked for its databases.
const KEY = 'doorstep-kept'
const DB = 'doorstep'

export async function hadKept() {
  try {
    if (localStorage.getItem(KEY) === '1') return true
  } catch { return true }
  if (!globalThis.indexedDB?.databases) return true
  return indexedDB.databases().then(list => list.some(d => d.name === DB), () => true)
}

export function noteKept() {
  try { localStorage.setItem(KEY, '1') } catch { /* then the databases are asked */ }
}
