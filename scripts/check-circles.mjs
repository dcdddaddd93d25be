// No circle of calls and no circle of includes: neither between the files of one folder of shared/, nor between folders.
// Calls are read from the objects, so they are what the compiler saw, macros and all: one file calls another when its object
// lacks a symbol that the other's object has. Prints every circle with what makes it; fails on any.
//   node scripts/check-circles.mjs [OBJECTS=build/obj] [SOURCES=.]      --self-test: can it fail?
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { notYet } from './not-yet.mjs'

const stem = path => path.replace(/\.[ch]$/, '')

function sourcesBelow(dir, ending) {
  return readdirSync(dir, { withFileTypes: true }).flatMap(x => x.isDirectory()
    ? (x.name === 'web' || x.name === 'node_modules' ? [] : sourcesBelow(join(dir, x.name), ending))
    : ending.test(x.name) ? [join(dir, x.name)] : [])
}

/** edges: Map from -> Map to -> Set of reasons. */
function add(edges, from, to, why) {
  if (from === to) return
  if (!edges.has(from)) edges.set(from, new Map())
  if (!edges.get(from).has(to)) edges.get(from).set(to, new Set())
  edges.get(from).get(to).add(why)
}

/** Who calls whom: "base/json" -> "base/buf" -> {"buf_putc"}. An object without its source is an old one. */
function callsOf(objects, stems) {
  const files = stems.filter(c => existsSync(join(objects, 'shared', `${c}.o`)))
  const missing = stems.filter(c => !files.includes(c))
  if (missing.length) throw new Error(`no object of shared/${missing[0]}.c in ${objects}: build first`)
  const owner = new Map(), wanted = []
  const text = execFileSync('nm', ['-g', '-P', '-A', ...files.map(c => join(objects, 'shared', `${c}.o`))], { maxBuffer: 1 << 28 }).toString()
  for (const line of text.split('\n')) {
    const m = /^(.*\.o): (\S+) (\w)/.exec(line)
    if (!m) continue
    const file = relative(join(objects, 'shared'), m[1]).replace(/\.o$/, '')
    if (m[3] === 'U') wanted.push([file, m[2]])
    else if (/[TDBRVWC]/.test(m[3])) owner.set(m[2], file)
  }
  const edges = new Map()
  for (const [file, symbol] of wanted) if (owner.has(symbol)) add(edges, file, owner.get(symbol), symbol)
  return edges
}

function includesOf(shared, sources) {
  const edges = new Map()
  for (const f of sources)
    for (const m of readFileSync(f, 'utf8').matchAll(/^#include "([^"]+)"/gm))
      if (existsSync(join(shared, m[1]))) add(edges, relative(shared, f), m[1], m[1])
  return edges
}

/** Only the edges inside a folder, or (folders) those between folders, by folder. */
const within = edges => mapped(edges, x => x, (a, b) => dirname(a) === dirname(b))
const between = edges => mapped(edges, dirname, () => true)
function mapped(edges, name, keep) {
  const out = new Map()
  for (const [a, to] of edges) for (const [b, why] of to) if (keep(a, b)) for (const w of why) add(out, name(a), name(b), w)
  return out
}

/** Sets of more than one that all reach each other (Tarjan). */
function circlesIn(edges) {
  const index = new Map(), low = new Map(), stack = [], found = []
  const visit = v => {
    index.set(v, index.size)
    low.set(v, index.get(v))
    stack.push(v)
    for (const w of edges.get(v)?.keys() ?? []) {
      if (!index.has(w)) visit(w)
      if (stack.includes(w)) low.set(v, Math.min(low.get(v), low.get(w)))
    }
    if (low.get(v) !== index.get(v)) return
    const set = stack.splice(stack.indexOf(v))
    if (set.length > 1) found.push(set.sort())
  }
  for (const v of edges.keys()) if (!index.has(v)) visit(v)
  return found
}

function circles(objects, root) {
  const shared = join(root, 'shared'), found = []
  const sources = sourcesBelow(shared, /\.[ch]$/)
  const calls = callsOf(objects, sources.filter(f => f.endsWith('.c')).map(f => stem(relative(shared, f))))
  const includes = includesOf(shared, sources)
  const kinds = [['calls', within(calls)], ['includes', within(includes)], ['calls', between(calls), true], ['includes', between(includes), true]]
  for (const [kind, edges, folders] of kinds)
    for (const set of circlesIn(edges)) {
      const lines = set.flatMap(a => [...edges.get(a)].filter(([b]) => set.includes(b)).map(([b, why]) => `    ${a} -> ${b}: ${[...why].sort().join(' ')}`))
      found.push({ folder: folders ? 'shared' : dirname(set[0]), text: `circle of ${kind} between ${folders ? 'folders' : `${set.length} files of ${dirname(set[0])}/`}:\n${lines.join('\n')}` })
    }
  return found
}

/** A made-up tree in which everything that must be found is there, and one thing that must not. */
function selfTest() {
  const root = mkdtempSync(join(tmpdir(), 'circles-'))
  const write = (name, text) => { mkdirSync(dirname(join(root, name)), { recursive: true }); writeFileSync(join(root, name), text) }
  try {
    write('shared/low/a.h', 'int a(void);\n')
    write('shared/low/b.h', 'int b(void);\n')
    write('shared/low/a.c', '#include "low/a.h"\n#include "low/b.h"\nint a(void) { return b(); }\n')
    write('shared/low/b.c', '#include "low/b.h"\nint b(void) { return 1; }\n')
    write('shared/high/deep/c.c', '#include "low/a.h"\nint c(void);\nint c(void) { return a(); }\n')
    const look = () => {
      for (const f of sourcesBelow(join(root, 'shared'), /\.c$/)) {
        const o = join(root, 'obj', relative(root, f)).replace(/c$/, 'o')
        mkdirSync(dirname(o), { recursive: true })
        execFileSync('gcc', ['-I', join(root, 'shared'), '-c', f, '-o', o])
      }
      return circles(join(root, 'obj'), root).map(x => x.text.split('\n')[0])
    }
    const expect = (what, found, ...want) => {
      if (JSON.stringify(found) !== JSON.stringify(want)) throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(want)}`)
    }
    expect('no circle', look())
    write('shared/low/b.c', '#include "low/b.h"\nint a(void);\nint b(void) { return a(); }\n')
    expect('a calls b calls a', look(), 'circle of calls between 2 files of low/:')
    write('shared/low/b.c', '#include "low/b.h"\n#include "low/a.h"\nint b(void) { return 1; }\n')
    expect('each knows the other, and only one calls', look())
    write('shared/low/a.h', '#pragma once\n#include "low/b.h"\nint a(void);\n')
    write('shared/low/b.h', '#pragma once\n#include "low/a.h"\nint b(void);\n')
    expect('a includes b includes a', look(), 'circle of includes between 2 files of low/:')
    write('shared/low/b.h', 'int b(void);\n')
    write('shared/low/b.c', '#include "low/b.h"\nint c(void);\nint b(void) { return c(); }\n')
    expect('low calls high/deep calls low', look(), 'circle of calls between folders:')
  } finally {
    rmSync(root, { recursive: true })
  }
  console.log('the check of circles finds what it must')
}

if (process.argv[2] === '--self-test') {
  selfTest()
} else {
  const found = circles(process.argv[2] ?? 'build/obj', process.argv[3] ?? '.')
  const open = notYet('circles', new Set(found.map(x => x.folder)))
  for (const x of found) console.log(`${open.allowed.has(x.folder) ? 'not yet: ' : ''}${x.text}`)
  for (const f of open.stale) console.log(`scripts/not-yet.txt: ${f}/ has no circle any more, strike its line`)
  process.exit(found.some(x => !open.allowed.has(x.folder)) || open.stale.length ? 1 : 0)
}
