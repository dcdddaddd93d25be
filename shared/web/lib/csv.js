// A table as CSV (RFC 4180) with a byte order mark, for the spreadsheets of offices. What a spreadsheet
// would take for a formula stays text: such a cell gets an apostrophe in front.
const cell = v => {
  if (typeof v === 'number') return String(v)
  let s = String(v ?? '')
  if (/^[\s\u0000-\u001f]*[=+\-@\t\r]/.test(s) || /^[＝＋－＠]/.test(s)) s = "'" + s
  return /[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s
}

export const csv = rows => '\ufeff' + rows.map(r => r.map(cell).join(',') + '\r\n').join('')

export function download(name, text, type = 'text/csv;charset=utf-8') {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(text instanceof Blob ? text : new Blob([text], { type }))
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10000)
}
