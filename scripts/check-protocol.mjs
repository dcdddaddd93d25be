// The text of schema/protocol.md stands above the code that obeys it, as `protocol.md N: "..."`. This compares both: a
// quotation that its section no longer says is a fault, and so is a frame kind that only one of both knows.
import { readFileSync, readdirSync } from 'node:fs'

const plain = s => s.replace(/\s+/g, ' ').replace(/\*/g, '')
const protocol = readFileSync('schema/protocol.md', 'utf8')
const sections = new Map(protocol.split(/^## /m).slice(1).map(s => [s.slice(0, s.indexOf('.')), plain(s)]))
let quotes = 0
const faults = []

for (const dir of readdirSync('shared').map(d => `shared/${d}`)) {
  let files = []
  try { files = readdirSync(dir) } catch { continue }
  for (const f of files.filter(f => /\.[ch]$/.test(f))) {
    const text = readFileSync(`${dir}/${f}`, 'utf8').replace(/\n \* ?/g, ' ').replace(/\n\s*\/\/ ?/g, ' ')
    for (const m of text.matchAll(/protocol\.md (\d+): "([^"]+)"/g)) {
      quotes++
      const section = sections.get(m[1])
      if (!section) faults.push(`${dir}/${f}: protocol.md has no section ${m[1]}`)
      else if (!section.includes(plain(m[2]).trim().replace(/\.$/, ''))) faults.push(`${dir}/${f}: protocol.md ${m[1]} does not say "${plain(m[2])}"`)
    }
  }
}
const told = new Map([...protocol.matchAll(/^\| ([\d, ]+) \| ([A-Z_, ]+) \|/gm)].flatMap(([, n, k]) => {
  const names = k.split(',').map(s => s.trim())
  return n.split(',').map((x, i) => [names[i], Number(x)])
}))
const wire = readFileSync('shared/sync/wire.h', 'utf8')
const coded = new Map([...wire.matchAll(/FRAME_([A-Z_]+) = (\d+)/g)].map(m => [m[1], Number(m[2])]))
for (const [k, n] of told) if (coded.get(k) !== n) faults.push(`protocol.md says ${k} is ${n}, wire.h says ${coded.get(k)}`)
for (const [k, n] of coded) if (!told.has(k)) faults.push(`wire.h has ${k} = ${n}, protocol.md does not`)
const header = wire + readFileSync('shared/sync/link.h', 'utf8')
const limits = [
  ['WIRE_FRAME_BYTES_MAX', 2 ** 20, 'one binary frame of at most 1 MiB'], ['WIRE_BATCH_EVENTS_MAX', 1000, 'count (1..1000)'],
  ['WIRE_BATCH_BYTES_MAX', 512 * 1024, 'inflated bytes (at most 512 KiB)'], ['WIRE_CHUNK_BYTES_MAX', 256 * 1024, 'most bytes (1..256 KiB)'],
  ['LINK_WINDOW_BATCHES', 8, 'At most eight batches'], ['LINK_WINDOW_BYTES', 2 ** 21, 'two MiB of events'],
  ['LINK_FETCHES_MAX', 12, 'At most twelve documents'], ['LINK_PING_MS', 20000, 'said nothing for 20 s sends PING'],
  ['LINK_DEAD_MS', 60000, 'heard nothing for 60 s'], ['WIRE_HELLO_REST_MAX', 1024, 'at most 1024 bytes of later versions'], ['LINK_CLOCK_MS', 20000, 'at HELLO and every 20 s'],
]
for (const [name, value, words] of limits) {
  const m = new RegExp(`#define ${name} (\\(?[\\d *<]+\\)?)`).exec(header)
  if (!m || Function(`return ${m[1]}`)() !== value) faults.push(`${name} is ${m ? m[1] : 'not there'}; protocol.md says ${value}`)
  if (!plain(protocol).includes(words)) faults.push(`protocol.md does not say "${words}" (${name})`)
}
for (const f of faults) console.error(f)
if (!quotes || !coded.size) { console.error('nothing was found to compare'); process.exit(1) }
console.log(`${quotes} quotations, ${coded.size} kinds of frames and ${limits.length} limits agree`)
process.exit(faults.length ? 1 : 0)
