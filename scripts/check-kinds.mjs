// A kind of work is one folder of shared/dossiers/ and one line in dossiers/all.c: no floor that carries it knows its name, the
// kinds of its events or its tables. Prints which folders know each, and every line that should not; comments may tell of it.
//   node scripts/check-kinds.mjs [ROOT=.]      --self-test: can it fail?
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'

/** Floors that carry every kind of work, and must know none. */
const BLIND = ['base', 'db', 'ledger', 'office', 'catalogue', 'sync', 'net', 'site']
/** "case" is a word of C: it is known by the kinds of its events and its tables alone. */
const WORD_OF_C = new Set(['case'])

const files = dir => !existsSync(dir) ? [] : readdirSync(dir, { withFileTypes: true }).flatMap(x => x.isDirectory()
  ? (x.name === 'web' ? [] : files(join(dir, x.name))) : /\.[ch]$/.test(x.name) ? [join(dir, x.name)] : [])

/** The text without its comments and without names of OpenSSL (TLS has its own tickets), line by line as it was. */
const code = text => text.replace(/"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/.*|\bSSL_\w+/g, m => m[0] === '"' ? m : m.replace(/[^\n]/g, ' '))

/** What gives a type away: its name, kinds and tables, as patterns. */
function marks(root, type) {
  const text = files(join(root, 'shared/dossiers', type)).map(f => code(readFileSync(f, 'utf8'))).join('\n')
  const kinds = new Set([...text.matchAll(/"([a-z_]+\.[a-z_]+)\/\d+"/g)].map(m => m[1]))
  const tables = new Set([...text.matchAll(/INSERT INTO ([a-z_]+)/g)].map(m => m[1]))
  return [
    ...(WORD_OF_C.has(type) ? [] : [new RegExp(`(?<![a-z])${type}s?(?![a-z])`)]),
    ...[...kinds].map(k => new RegExp(`"[^"]*(?<![a-z_])${k.replace('.', '\\.')}(?![a-z_])`)),
    ...[...tables].map(t => new RegExp(`(FROM|INTO|UPDATE|JOIN) ${t}(?![a-z_])`)),
  ]
}

/** For each type the folders that know it, and the lines that should not. */
export function look(root) {
  const dossiers = join(root, 'shared/dossiers')
  const types = readdirSync(dossiers, { withFileTypes: true }).filter(x => x.isDirectory()).map(x => x.name)
  const all = ['shared', 'node', 'hub'].flatMap(d => files(join(root, d)))
    .map(f => ({ name: relative(root, f).replace(/^shared\//, ''), lines: code(readFileSync(f, 'utf8')).split('\n') }))
  return types.map(type => {
    const want = marks(root, type), known = new Map(), wrong = []
    for (const { name, lines } of all)
      lines.forEach((line, i) => {
        if (!want.some(m => m.test(line))) return
        known.set(dirname(name), (known.get(dirname(name)) ?? 0) + 1)
        if (BLIND.includes(dirname(name))) wrong.push(`${name}:${i + 1} knows the ${type}: ${line.trim()}`)
      })
    return { type, known, wrong }
  })
}

function selfTest() {
  const root = mkdtempSync(join(tmpdir(), 'kinds-'))
  const write = (name, text) => { mkdirSync(dirname(join(root, name)), { recursive: true }); writeFileSync(join(root, name), text + '\n') }
  try {
    write('shared/dossiers/case/fold.c', 'x = "case.filed/1"; y = "INSERT INTO case_file (a)";')
    write('shared/dossiers/ticket/fold.c', 'x = "ticket.issued/1"; y = "INSERT INTO slip (a)";')
    write('shared/dossiers/all.c', '#include "dossiers/ticket/ticket.h"')
    write('shared/api/tickets.c', 'ticket_show();')
    write('shared/office/good.c', '/* a ticket, "ticket.issued/1" */\nswitch (x) { case 1: break; }\nx = "site.enrolled/1"; // ticket\ny = "showcase"; z = "slips";')
    const bad = {
      'shared/office/a.c': 'x = text_is(kind, "case.filed/1");', 'shared/sync/a.c': 'f(ticket_type);', 'shared/site/a.c': '\ny = " ticket ";',
      'shared/ledger/a.c': 'q("SELECT a FROM case_file");', 'shared/net/a.c': 'tickets();', 'shared/db/a.c': 'q("UPDATE slip SET a = 1");',
    }
    for (const [f, text] of Object.entries(bad)) write(f, text)
    const found = look(root).flatMap(t => t.wrong)
    for (const f of Object.keys(bad)) {
      const n = found.filter(t => t.startsWith(f.replace('shared/', '') + ':')).length
      if (n !== 1) throw new Error(`${f}: ${n} found, expected one\n${found.join('\n')}`)
    }
    if (found.length !== Object.keys(bad).length) throw new Error(`too many:\n${found.join('\n')}`)
    const known = [...look(root).find(t => t.type === 'ticket').known.keys()].filter(f => !BLIND.includes(basename(f))).sort()
    if (known.join(' ') !== 'api dossiers dossiers/ticket') throw new Error(`known by ${known}`)
  } finally {
    rmSync(root, { recursive: true })
  }
  console.log('the check of kinds finds what it must')
}

if (process.argv[2] === '--self-test') {
  selfTest()
} else {
  const found = look(process.argv[2] ?? '.')
  for (const { type, known } of found) console.log(`${type}: known by ${[...known].map(([f, n]) => `${f}/ (${n} lines)`).sort().join(', ')}`)
  const wrong = found.flatMap(t => t.wrong)
  for (const line of wrong) console.log(line)
  process.exit(wrong.length ? 1 : 0)
}
