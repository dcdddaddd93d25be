// The citizen number of GB 11643: 17 digits and a check character.
import { citizen } from './clean.js'

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const checks = '10X98765432'

export const clean = citizen

/** null when right, else a key of the word list: 'id.empty' | 'id.length' | 'id.date' | 'id.check'. */
export function fault(text) {
  const s = clean(text)
  if (!s) return 'id.empty'
  if (!/^\d{17}[\dX]$/.test(s)) return 'id.length'
  const [y, m, d] = [+s.slice(6, 10), +s.slice(10, 12), +s.slice(12, 14)]
  const date = new Date(Date.UTC(y, m - 1, d))
  if (date.getUTCMonth() !== m - 1 || date.getUTCDate() !== d) return 'id.date'
  const sum = weights.reduce((a, w, i) => a + w * +s[i], 0)
  return checks[sum % 11] === s[17] ? null : 'id.check'
}

/** 339900 19850613 0284: read in groups. */
export const grouped = n => (/^\w{18}$/.test(n || '') ? `${n.slice(0, 6)} ${n.slice(6, 14)} ${n.slice(14)}` : n || '')

/** 339900********0284: shown until somebody asks for the whole. */
export const masked = n => (/^\w{18}$/.test(n || '') ? `${n.slice(0, 6)}********${n.slice(14)}` : n || '')
