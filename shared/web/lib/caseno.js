// A case number is read in groups: the street small, day, number and check digit large.
export const street = n => (/^\d{21}$/.test(n) ? n.slice(0, 9) : '')
export const large = n => (/^\d{21}$/.test(n) ? `${n.slice(9, 15)}-${n.slice(15, 20)}-${n.slice(20)}` : n)
export const small = n => (/^\d{21}$/.test(n) ? `${n.slice(15, 20)}-${n.slice(20)}` : n)
/** What people say: 尾号 0172. */
export const tail = n => n.slice(-4)

/** 21 digits of what was typed or scanned, or ''. */
export function read(s) {
  const d = String(s ?? '').normalize('NFKC').replace(/\D/g, '')
  return d.length === 21 ? d : ''
}

/** 100 0000 0001: a mobile number as it is read. */
export const phone = n => (/^\d{11}$/.test(n || '') ? `${n.slice(0, 3)} ${n.slice(3, 7)} ${n.slice(7)}` : n || '')
