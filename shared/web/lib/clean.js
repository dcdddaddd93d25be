// What people paste, made into what was meant: blanks, signs of direction and full-width figures go
// before anything is checked. Nothing is cut: what is too long is said.
const HIDDEN = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/g
const BLANK = /[\s\u00a0\u3000\u2000-\u200a\u202f\u205f]/g

/** Visible text without blanks at its ends; one blank where there were many. */
export const text = s => String(s ?? '').normalize('NFC').replace(HIDDEN, '').replace(/[\u00a0\u3000\u2000-\u200a\u202f\u205f\t]/g, ' ').replace(/ {2,}/g, ' ').trim()

/** A person's name: any middle dot becomes the one that cards carry. */
export const name = s => text(s).replace(/[\n\r]/g, '').replace(/\s*[·．•․‧・∙]\s*/g, '·')

/** Figures as one run, ASCII. */
export const digits = s => String(s ?? '').normalize('NFKC').replace(HIDDEN, '').replace(BLANK, '').replace(/[-–—()（）]/g, '')

/** A mobile number: +86 and 0086 in front are taken off. */
export const mobile = s => digits(s).replace(/^(\+|00)?86(?=1\d{10}$)/, '')

export const citizen = s => digits(s).toUpperCase()

/** Code points, as the office counts them. */
export const length = s => [...String(s ?? '')].length

/** null when right, else {key, n}: a word of the list and how many figures there are. */
export function mobileFault(s) {
  const m = mobile(s)
  if (!m) return { key: 'e.mobile.empty' }
  if (!/^\d+$/.test(m)) return { key: 'e.mobile.signs' }
  if (m.length !== 11) return { key: 'e.mobile.length', n: m.length }
  return m[0] === '1' ? null : { key: 'e.mobile.first' }
}
