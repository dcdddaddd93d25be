// Every function, variable and struct field that a header of shared/, node/ or hub/ declares has its comment: beside it, or
// above it, or above the lines it stands under without a blank one between; or a comment in the same struct names the field
// ("list[0 .. list_count)"). Prints those without; fails on any.
//   node scripts/check-contracts.mjs      --self-test: can it fail?
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { notYet } from './not-yet.mjs'

const headers = dir => !existsSync(dir) ? [] : readdirSync(dir, { withFileTypes: true }).flatMap(x => x.isDirectory()
  ? (x.name === 'web' ? [] : headers(join(dir, x.name))) : x.name.endsWith('.h') ? [join(dir, x.name)] : [])

/** The declarations of a header that no comment speaks of: [{line, text}]. */
export function uncommented(source) {
  const comments = [] // lines on which one begins
  const found = []    // statements: {from, to, text, covered}
  const frame = kind => ({ kind, covered: false, text: '', from: line, words: new Set() })
  let line = 1, fresh = true // fresh: nothing stands on this line yet
  const open = [frame('top')]
  const here = () => open[open.length - 1]
  const put = c => {
    const h = here()
    if (!h.text.trim() && c.trim()) h.from = line
    h.text += c
    if (c.trim()) fresh = false
  }
  const end = () => {
    const h = here()
    if (h.text.trim() && h.kind !== 'enum' && h.kind !== 'code') found.push({ from: h.from, to: line, text: h.text.replace(/\s+/g, ' ').trim(), covered: h.covered, frame: h })
    h.text = ''
  }
  for (let i = 0; i < source.length; i++) {
    const c = source[i]
    if (c === '\n') {
      if (fresh && source[i - 1] === '\n') here().covered = false // a blank line ends the group
      put(' ')
      line++
      fresh = true
    } else if (c === '#' && fresh) {
      for (; i < source.length && (source[i] !== '\n' || source[i - 1] === '\\'); i++) if (source[i] === '\n') line++
      i--
      fresh = false
    } else if (c === '/' && source[i + 1] === '*') {
      comments.push(line)
      if (fresh) here().covered = true
      const stop = source.indexOf('*/', i + 2)
      for (const w of source.slice(i, stop).match(/\w+/g) ?? []) here().words.add(w)
      for (; i < stop + 1; i++) if (source[i] === '\n') line++
      fresh = false
    } else if (c === '{') {
      const text = here().text
      const kind = here().kind === 'code' || /\)\s*$/.test(text) || /=\s*$/.test(text) ? 'code' : /\benum\b[^;]*$/.test(text) ? 'enum' : 'struct'
      open.push(frame(kind))
      fresh = false
    } else if (c === '}') {
      const inner = open.pop(), h = here()
      fresh = false
      if (inner.kind === 'code' && !/=/.test(h.text)) end() // a function with its body
      else if (inner.kind !== 'code') { h.text = `${h.text.replace(/\s+/g, ' ').trim()} {} `; h.closed = line }
    } else if (c === ';') {
      const h = here()
      if (/^(typedef )?(struct|union|enum)( \w+)?$/.test(h.text.trim()) || /^(struct|union|enum)( \w+)?(\s*\w+)* \{\}\s*$/.test(h.text.trim())) h.text = '' // a type alone
      else if (h.closed && / \{\} /.test(h.text)) h.from = h.closed // the name behind the braces
      end()
      h.closed = 0
      fresh = false
    } else put(c)
  }
  const named = s => s.frame.kind === 'struct' && s.text.replace(/\[[^\]]*\]/g, '').split(',').every(x => s.frame.words.has(/\(\*(\w+)\)|(\w+)\W*$/.exec(x)?.slice(1).find(Boolean)))
  return found.filter(s => !s.covered && !named(s) && !comments.some(n => n >= s.from && n <= s.to) && !/^(_Static_assert|extern "C")/.test(s.text))
    .map(s => ({ line: s.from, text: s.text.slice(0, 90) }))
}

function selfTest() {
  const bad = `/* The file. */
#ifndef X_H
#define X_H

struct opaque;
int nobody(void);

/* Two under one comment. */
int first(void);
int second(int a,
           int b);

int third(void);  /* beside */
int fourth(int a, /* of the argument: taken for the function's */
           int b);
struct pair {
    int x; /* beside */
    int y;

    /* above */
    int z, w;
    struct inner {
        int deep;
    } *list; /* beside */

    int (*fn)(void *arg);
    char *names; /* names[0 .. name_count) */
    int name_count, y2;
    int name_cap;
    int size_count; /* beside */
};

enum color { RED, GREEN };
static inline int bare(void)
{
    return 1;
}
extern const int loose[];
#endif
`
  const names = uncommented(bad).map(x => /(nobody|\by\b|deep|fn|y2|name_cap|bare|loose)/.exec(x.text)?.[1] ?? x.text)
  const want = ['nobody', 'y', 'deep', 'fn', 'y2', 'name_cap', 'bare', 'loose']
  if (JSON.stringify(names) !== JSON.stringify(want)) throw new Error(`found ${JSON.stringify(names)}, expected ${JSON.stringify(want)}`)
  console.log('the check of contracts finds what it must')
}

if (process.argv[2] === '--self-test') {
  selfTest()
} else {
  const found = ['shared', 'node', 'hub'].flatMap(headers).flatMap(f => uncommented(readFileSync(f, 'utf8')).map(x => ({ ...x, file: f, folder: dirname(f).replace(/^shared\//, '') })))
  const open = notYet('contracts', new Set(found.map(x => x.folder)))
  for (const x of found) console.log(`${open.allowed.has(x.folder) ? 'not yet: ' : ''}${x.file}:${x.line}: no comment: ${x.text}`)
  for (const f of open.stale) console.log(`scripts/not-yet.txt: ${f}/ says everything, strike its line`)
  process.exit(found.some(x => !open.allowed.has(x.folder)) || open.stale.length ? 1 : 0)
}
