// The programs of this repository that run in Node.js ask nothing of it that Debian 12's own, 18.20, does not have: a newer
// one on the machine must not hide what would not run there. Compares what every .mjs here uses with the names that
// 18.20 has (node-18.20.txt beside this), and what the packages say of themselves in the lock file.
//
//   node scripts/check-node.mjs          on any Node.js: what this one has and 18.20 lacks is looked for in the sources
//   node scripts/check-node.mjs --list   on 18.20: writes node-18.20.txt
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST = [18, 20, 0]
const LIST = fileURLToPath(new URL('node-18.20.txt', import.meta.url))

/* ---- what a Node.js has ------------------------------------------------------------------------------------------ */

const isWord = k => typeof k === 'string' && /^[A-Za-z]\w*$/.test(k)
const common = [Object.prototype, Function.prototype]
const chain = o => { const out = []; for (; o && !common.includes(o); o = Object.getPrototypeOf(o)) out.push(o); return out }
const names = objects => [...new Set(objects.flatMap(o => Object.getOwnPropertyNames(o)))].filter(isWord).sort()
const value = (o, k) => { try { return o[k] } catch { return undefined } }

/** Map of "where" -> names: "node:fs", "global", "global Promise", "import.meta", and of every prototype in "prototypes". */
async function census() {
  const has = new Map([['import.meta', names([import.meta])]])
  const prototypes = new Set(common)
  const look = x => {
    if (typeof x === 'function' && x.prototype) chain(x.prototype).forEach(p => prototypes.add(p))
    else if (typeof x === 'object' && x) chain(Object.getPrototypeOf(x)).forEach(p => prototypes.add(p))
  }
  for (const m of builtinModules.filter(m => !m.startsWith('_')).concat('test', 'test/reporters', 'sea')) {
    const all = await import('node:' + m.replace(/^node:/, '')).catch(() => null)
    if (!all) continue
    has.set('node:' + m.replace(/^node:/, ''), names([all]))
    Object.values(all).forEach(look)
  }
  has.set('global', names(chain(globalThis)))
  for (const g of has.get('global')) {
    const v = value(globalThis, g)
    look(v)
    if (typeof v === 'function' || (typeof v === 'object' && v && v !== globalThis)) has.set('global ' + g, names(chain(v)))
  }
  for (const x of [[][Symbol.iterator](), new Map().keys(), new Set().keys(), ''.matchAll(/x/g), (function * () {})(), (async function * () {})(), new Uint8Array()])
    chain(x).forEach(p => prototypes.add(p))
  has.set('prototypes', names([...prototypes]))
  return has
}

process.removeAllListeners('warning') // of modules that are old or new: they are only looked at
const here = await census()
if (process.argv[2] === '--list') {
  if (!process.version.startsWith('v18.20.')) throw new Error(`this is ${process.version}; the list is of Debian's 18.20`)
  writeFileSync(LIST, [...here].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}: ${v.join(' ')}\n`).join(''))
  process.exit(0)
}
const old = new Map(readFileSync(LIST, 'utf8').trim().split('\n').map(l => l.split(': ')).map(([k, v]) => [k, new Set(v.split(' '))]))
const newer = new Set(here.get('prototypes').filter(k => !old.get('prototypes').has(k)))

/* ---- what the sources use ---------------------------------------------------------------------------------------- */

const require = createRequire(resolve('shared/web/package.json'))
const { parse } = require('@babel/parser')
const faults = []
const files = d => readdirSync(d, { withFileTypes: true }).flatMap(e =>
  ['node_modules', 'build', '.git'].includes(e.name) ? [] : e.isDirectory() ? files(join(d, e.name)) : /\.mjs$/.test(e.name) || /web\/lib\/.*\.js$/.test(join(d, e.name)) ? [join(d, e.name)] : [])

function walk(node, fn, parent = null, key = '') {
  if (Array.isArray(node)) node.forEach(n => walk(n, fn, parent, key))
  else if (node && typeof node.type === 'string') {
    fn(node, parent, key)
    for (const k of Object.keys(node)) if (k !== 'loc' && typeof node[k] === 'object') walk(node[k], fn, node, k)
  }
}

/** The built-in module that a source names ("fs" and "node:fs" are one), or null. */
const builtin = s => typeof s !== 'string' ? null : s.startsWith('node:') ? s : builtinModules.includes(s) ? 'node:' + s : null
const nameOf = k => k.name ?? k.value

const trees = new Map(files('.').map(f => [f, parse(readFileSync(f, 'utf8'), { sourceType: 'module', plugins: ['explicitResourceManagement'] }).program]))
// A method of our own may be called like a newer one of theirs: what it is called on is not known here.
for (const tree of trees.values())
  walk(tree, n => {
    if (/^(Class|Object)(Method|Property)$/.test(n.type) && !n.computed) newer.delete(nameOf(n.key))
    if (n.type === 'AssignmentExpression' && n.left.type === 'MemberExpression' && !n.left.computed) newer.delete(nameOf(n.left.property))
  })

function check(file, tree) {
  const page = file.endsWith('.js') // runs in browsers too: its globals are theirs
  const bound = new Set() // every name that the file binds itself, anywhere
  const modules = new Map() // name -> the built-in module that it stands for
  const say = (node, what) => faults.push(`${file}:${node.loc.start.line}: Node.js 18.20 has no ${what}`)
  const asked = (node, where, name) => {
    if (!old.has(where)) say(node, where)
    else if (name && !old.get(where).has(name)) say(node, `${name} in ${where}`)
  }
  const pattern = p => {
    if (p?.type === 'Identifier') bound.add(p.name)
    else walk(p, n => { if (n.type === 'Identifier') bound.add(n.name) })
  }
  walk(tree, n => {
    if (n.type === 'ImportDeclaration') {
      for (const s of n.specifiers) {
        bound.add(s.local.name)
        const m = builtin(n.source.value)
        if (m && s.type !== 'ImportSpecifier') modules.set(s.local.name, m)
      }
    }
    if (n.type === 'VariableDeclarator' || n.type === 'ClassDeclaration') pattern(n.id)
    if (n.params) n.params.forEach(pattern)
    if (n.type === 'FunctionDeclaration') pattern(n.id)
    if (n.type === 'CatchClause') pattern(n.param)
  })
  const moduleOf = e => {
    if (e?.type === 'AwaitExpression') e = e.argument
    if (e?.type === 'Identifier') return modules.get(e.name) ?? null
    if (e?.type === 'ImportExpression') return builtin(e.source.value)
    if (e?.type === 'CallExpression' && (e.callee.type === 'Import' || e.callee.name === 'require')) return builtin(e.arguments[0]?.value)
    return null
  }
  walk(tree, (n, parent, key) => {
    if (n.type === 'ImportDeclaration' && builtin(n.source.value)) {
      asked(n, builtin(n.source.value))
      for (const s of n.specifiers) if (s.type === 'ImportSpecifier') asked(s, builtin(n.source.value), nameOf(s.imported))
    }
    if (n.type === 'VariableDeclarator' && n.id.type === 'ObjectPattern' && moduleOf(n.init))
      for (const p of n.id.properties) if (p.key) asked(p, moduleOf(n.init), nameOf(p.key))
    if (/^(Optional)?MemberExpression$/.test(n.type) && !n.computed) {
      const name = nameOf(n.property), o = n.object
      if (moduleOf(o)) asked(n, moduleOf(o), name)
      else if (o.type === 'MetaProperty') asked(n, 'import.meta', name)
      else if (newer.has(name) && key === 'callee') say(n, `.${name}()`)
      else if (!page && o.type === 'Identifier' && !bound.has(o.name) && old.has('global ' + o.name) && !(name in Function.prototype)) asked(n, 'global ' + o.name, name)
    }
    if (!page && n.type === 'Identifier' && !bound.has(n.name) && here.get('global').includes(n.name) && !old.get('global').has(n.name) &&
        !(key === 'property' && !parent.computed) && !(key === 'key' && !parent.computed)) say(n, n.name)
    if (n.type === 'RegExpLiteral' && n.flags.includes('v')) say(n, 'regular expression with the flag v')
    if (n.type === 'VariableDeclaration' && n.kind.includes('using')) say(n, 'declaration "using"')
  })
}

/* ---- what the packages want -------------------------------------------------------------------------------------- */

/** Is 18.20 in a range like "^18.0.0 || >=20"? */
function allows(range) {
  const less = (a, b) => { const i = a.findIndex((x, k) => x !== b[k]); return i >= 0 && a[i] < b[i] }
  return range.split('||').some(part => (part.replace(/([<>=^~]) +/g, '$1').match(/\S+/g) ?? []).every(c => {
    const [, op, v] = /^([<>=^~]*)v?([\d.x*]+)/.exec(c) ?? ['', '', '*']
    const want = v.split('.').map(x => (/^\d+$/.test(x) ? Number(x) : 0))
    while (want.length < 3) want.push(0)
    if (v === '*') return true
    if (op === '>=') return !less(OLDEST, want)
    if (op === '>') return less(want, OLDEST)
    if (op === '<') return less(OLDEST, want)
    if (op === '<=') return !less(want, OLDEST)
    return want[0] === OLDEST[0] && !less(OLDEST, want)
  }))
}

trees.forEach((tree, file) => check(file, tree))
const packages = Object.entries(JSON.parse(readFileSync('shared/web/package-lock.json', 'utf8')).packages)
for (const [name, p] of packages)
  if (p.engines?.node && !allows(p.engines.node)) faults.push(`shared/web/package-lock.json: ${name} ${p.version} wants Node.js ${p.engines.node}`)
for (const f of [...new Set(faults)]) console.error(f)
if (trees.size < 20 || old.size < 50) { console.error('nothing was found to compare'); process.exit(1) }
if (faults.length) process.exit(1)
console.log(`${trees.size} files and ${packages.length} packages ask for nothing newer than Node.js 18.20 (this is ${process.version})`)
