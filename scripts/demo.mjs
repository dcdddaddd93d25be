// `make demo`: build a district, a street and two communities on this machine, play the main job, and
// stay up until Ctrl-C. ONCE=1: stop after the story; exit 0 only if every step held.
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { ACCOUNTS, PASSWORD, build } from './demo/world.mjs'
import { play } from './demo/story.mjs'

const once = process.env.ONCE === '1'
const base = Number(process.env.PORT || 8400)
const ports = { district: base, street: base + 1, east: base + 2, west: base + 3 }
const files = d => readdirSync(d).filter(f => f.endsWith('.json')).map(f => `${d}/${f}`)
const catalogue = [...files('schema/catalogue/items'), ...files('schema/catalogue/calendar')]

for (const [name, port] of Object.entries(ports))
  await new Promise((ok, no) => {
    const s = createServer()
    s.once('error', () => no(new Error(`port ${port} (for the ${name}) is in use; stop what uses it or choose others: make demo PORT=9400`)))
    s.listen(port, '127.0.0.1', () => s.close(ok))
  }).catch(e => { console.error('demo: ' + e.message); process.exit(1) })

let world = null
let stopping = false
async function stop(code) {
  if (stopping) return
  stopping = true
  if (world) await world.stop()
  process.exit(code)
}
process.on('SIGINT', () => stop(once ? 1 : 0))
process.on('SIGTERM', () => stop(once ? 1 : 0))

const began = performance.now()
try {
  world = await build('build/demo', { ports, catalogue, say: s => console.log('  up  ' + s) })
  await play(world, async (name, fn) => {
    const t = performance.now()
    const said = await fn()
    console.log(`  ok  ${name}  [${((performance.now() - t) / 1000).toFixed(2)} s]\n        ${said}`)
  })
} catch (e) {
  console.error(`FAILED ${e.stack || e.message}`)
  await stop(1)
}
console.log(`\nThe story held in ${((performance.now() - began) / 1000).toFixed(1)} s.`)
if (once) await stop(0)
console.log(`
  residents' site of the street    ${world.street.url}/
  desk of the street               ${world.street.url}/desk.html
  desk of 东平社区                 ${world.east.url}/
  desk of 西平社区                 ${world.west.url}/
  desk of the district             ${world.district.url}/desk.html

  accounts (password ${PASSWORD}):
${ACCOUNTS.map(a => `    ${a.username.padEnd(12)} ${a.role.padEnd(11)} ${a.site}`).join('\n')}

Ctrl-C stops everything.`)
