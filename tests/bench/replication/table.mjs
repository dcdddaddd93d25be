// What was measured against what was asked for. `lower`: less is better.
const figures = []

export const say = text => console.log(text)

/** One figure. `runs` are the single results it comes from. */
export function figure(name, value, unit, { least = null, aim = null, lower = false, digits = 1, runs = [], note = '' } = {}) {
  const good = bound => bound === null ? null : lower ? value <= bound : value >= bound
  const f = { figure: name, value, unit, at_least: least, aim, runs, note, reached_least: good(least), reached_aim: good(aim), digits, lower }
  figures.push(f)
  say(`  ${name}: ${show(value, digits)} ${unit}${runs.length > 1 ? `   (${runs.map(r => show(r, digits)).join(', ')})` : ''}${note ? `   ${note}` : ''}`)
  return f
}

export const absent = (name, how) => {
  figures.push({ figure: name, value: null, unit: '', note: how })
  say(`  ${name}: ${how}`)
}

const show = (v, digits) => v === null || v === undefined ? '-' : v >= 1000 ? Math.round(v).toLocaleString('en') : v.toFixed(digits)
const wide = s => [...s].reduce((n, c) => n + (c.codePointAt(0) > 0x2e80 ? 2 : 1), 0)
const pad = (s, n) => s + ' '.repeat(Math.max(0, n - wide(s)))

export function print() {
  const rows = figures.map(f => [f.figure, show(f.value, f.digits), f.unit,
    f.at_least == null ? '' : show(f.at_least, f.digits), f.aim == null ? '' : show(f.aim, f.digits),
    f.value == null ? f.note : f.at_least == null ? '' : f.reached_aim ? 'aim' : f.reached_least ? 'yes' : 'NO'])
  const head = ['figure', 'value', 'unit', 'at least', 'aim', 'reached']
  const width = head.map((h, i) => Math.max(wide(h), ...rows.map(r => i === 5 ? 0 : wide(r[i]))))
  say('')
  for (const r of [head, head.map((_, i) => '-'.repeat(width[i])), ...rows]) say(r.map((c, i) => pad(c, width[i])).join('  ').trimEnd())
}

export const all = () => figures.map(({ digits, lower, ...f }) => ({ ...f, better: lower ? 'lower' : 'higher' }))
