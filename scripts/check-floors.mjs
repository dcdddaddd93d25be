// Floors: a folder of shared/ includes only itself and what stands below it; node/ and hub/ never know each other; each
// foreign library has its room, one file or two. Prints every breach and fails on any.
//   node scripts/check-floors.mjs [ROOT=.]      --self-test: can it fail?
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { notYet } from './not-yet.mjs'

/** From the ground up. A floor sees all below it, but for what ONLY says. Kinds of work (dossiers/x) see no other kind;
 *  dossiers/ itself is the list of them. */
const ORDER = ['base', 'db', 'ledger', 'office', 'catalogue', 'dossiers/*', 'dossiers', 'sync', 'net', 'site', 'api', 'program']
const ONLY = { sync: ['base'], net: ['base'] }
const KINDS_SEE = { 'dossiers/project': ['dossiers/case'] }

/** Who includes what belongs to a library, directly or by one of our headers. */
const ROOMS = [
  [/^jansson\.h$/, ['base/json.c', 'base/json_quick.c']],
  [/^zlib\.h$/, ['base/deflate.c']],
  [/^openssl\//, ['base/crypto.c', 'net/pki.c', 'net/pki_post.c']], // three: certificates are not digests
  [/^sqlite3\.h$/, ['db/db.c', 'db/stmt.c', 'db/log_vfs.c', 'db/inside.h']], // the layer, and a VFS below it
  [/^libwebsockets\.h$/, ['net/inside.h', 'net/loop.c', 'net/conn.c', 'net/ws_dial.c']],
  [/^(cairo-pdf|pango\/pangocairo|qrencode|zint)\.h$/, ['hub/print.c']],
]
const SYSTEM = /^(assert|ctype|errno|inttypes|limits|math|setjmp|signal|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|dirent|fcntl|getopt|malloc|pthread|unistd|netdb|sys\/\w+|netinet\/\w+|arpa\/\w+)\.h$/

const files = dir => !existsSync(dir) ? [] : readdirSync(dir, { withFileTypes: true }).flatMap(x => x.isDirectory()
  ? (x.name === 'web' ? [] : files(join(dir, x.name))) : /\.[ch]$/.test(x.name) ? [join(dir, x.name)] : [])
const rank = floor => ORDER.indexOf(/^dossiers\/./.test(floor) ? 'dossiers/*' : floor)

function maySee(from, to) {
  if (from === to) return true
  if (/^dossiers\/./.test(from) && /^dossiers\/./.test(to)) return (KINDS_SEE[from] ?? []).includes(to)
  return ONLY[from] ? ONLY[from].includes(to) : rank(to) < rank(from)
}

export function breaches(root) {
  const found = [], say = (floor, text) => found.push({ folder: floor, text })
  const own = new Map(), foreign = new Map() // file -> what it includes
  const all = ['shared', 'node', 'hub'].flatMap(d => files(join(root, d)))
  const nameOf = f => relative(root, f).replace(/^shared\//, '')
  for (const f of all) {
    const text = readFileSync(f, 'utf8'), name = nameOf(f), dir = dirname(name)
    own.set(name, [...text.matchAll(/^#include "([^"]+)"/gm)].map(m => m[1].includes('/') ? m[1] : `${dir}/${m[1]}`))
    foreign.set(name, [...text.matchAll(/^#include <([^>]+)>/gm)].map(m => m[1]))
  }
  for (const [name, list] of own) {
    const floor = dirname(name), top = /^(node|hub)$/.test(floor)
    if (!top && rank(floor) < 0) say(floor, `shared/${floor}/ is no floor (${ORDER.join(', ')})`)
    for (const x of list) {
      const to = dirname(x)
      if (top ? /^(node|hub)$/.test(to) && to !== floor : rank(floor) >= 0 && !maySee(floor, to))
        say(floor, `${name} includes ${x}, which is not below ${floor}/`)
    }
  }
  const reach = (name, seen = new Set()) => {
    for (const x of own.get(name) ?? []) if (!seen.has(x)) { seen.add(x); reach(x, seen) }
    return seen
  }
  for (const [name] of own)
    for (const via of [name, ...reach(name)])
      for (const x of foreign.get(via) ?? []) {
        const room = ROOMS.find(([what]) => what.test(x))
        if (room ? !room[1].includes(name) : !SYSTEM.test(x))
          say(dirname(name), room ? `${name} includes <${x}>${via === name ? '' : ` by ${via}`}, whose room is ${room[1].join(', ')}` : `${name} includes <${x}>, which has no room`)
      }
  return found
}

function selfTest() {
  const root = mkdtempSync(join(tmpdir(), 'floors-'))
  const write = (name, text) => { mkdirSync(dirname(join(root, name)), { recursive: true }); writeFileSync(join(root, name), text) }
  const bad = {
    'shared/base/a.c': '#include "db/db.h"', 'shared/office/a.c': '#include "dossiers/case/case.h"',
    'shared/dossiers/ticket/a.c': '#include "dossiers/case/case.h"', 'shared/sync/a.c': '#include "db/db.h"',
    'shared/site/a.c': '#include "db/inside.h"', 'shared/net/a.c': '#include <uv.h>', 'shared/cellar/a.c': '', 'node/a.c': '#include "hub/print.h"',
  }
  const good = {
    'shared/base/b.c': '#include "base/err.h"\n#include <stdio.h>', 'shared/dossiers/project/b.c': '#include "dossiers/case/case.h"',
    'shared/dossiers/b.c': '#include "dossiers/case/case.h"', 'shared/site/b.c': '#include "dossiers/all.h"\n#include "office/office.h"',
    'shared/db/inside.h': '#include <sqlite3.h>', 'shared/db/stmt.c': '#include "db/inside.h"', 'node/b.c': '#include "program/program.h"',
  }
  try {
    for (const [f, text] of Object.entries({ ...bad, ...good })) write(f, `${text}\n`)
    const found = breaches(root).map(x => x.text)
    for (const f of Object.keys(bad)) {
      const name = f.replace('shared/', '')
      const n = found.filter(t => t.startsWith(f === 'shared/cellar/a.c' ? 'shared/cellar/' : name)).length
      if (n !== 1) throw new Error(`${f}: ${n} breaches, expected one\n${found.join('\n')}`)
    }
    if (found.length !== Object.keys(bad).length) throw new Error(`too many:\n${found.join('\n')}`)
  } finally {
    rmSync(root, { recursive: true })
  }
  console.log('the check of floors finds what it must')
}

if (process.argv[2] === '--self-test') {
  selfTest()
} else {
  const found = breaches(process.argv[2] ?? '.')
  const open = notYet('floors', new Set(found.map(x => x.folder)))
  for (const x of found) console.log(`${open.allowed.has(x.folder) ? 'not yet: ' : ''}${x.text}`)
  for (const f of open.stale) console.log(`scripts/not-yet.txt: ${f}/ keeps its floor, strike its line`)
  process.exit(found.some(x => !open.allowed.has(x.folder)) || open.stale.length ? 1 : 0)
}
