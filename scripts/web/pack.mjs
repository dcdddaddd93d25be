// Pack a folder of built pages into a C table: `node pack.mjs DIR OUT.c`.
// Each file is stored as gzip and brotli next to OUT.c and pulled in with .incbin; the table is
// sorted by path so that the program finds a page by binary search.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, extname, dirname, basename } from 'node:path'
import { gzipSync, brotliCompressSync, constants } from 'node:zlib'
import { createHash } from 'node:crypto'

const [dir, out] = process.argv.slice(2)
const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.ico': 'image/x-icon', '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json', '.txt': 'text/plain; charset=utf-8',
}
const walk = d => readdirSync(d).flatMap(n => {
  const p = join(d, n)
  return statSync(p).isDirectory() ? walk(p) : [p]
})
const files = walk(dir).filter(p => !basename(p).startsWith('.'))
  .map(p => ({ path: '/' + relative(dir, p).replaceAll('\\', '/'), bytes: readFileSync(p) }))
  .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))

const stem = basename(out, '.c')
let head = '/* made by scripts/web/pack.mjs */\n#include "api/static.h"\n'
let rows = ''
files.forEach((f, i) => {
  const type = types[extname(f.path)]
  if (!type) throw new Error(`no media type is known for ${f.path}`)
  for (const [kind, bytes] of [
    ['gz', gzipSync(f.bytes, { level: 9 })],
    ['br', brotliCompressSync(f.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })],
  ]) {
    const file = join(dirname(out), `${stem}.${i}.${kind}`)
    writeFileSync(file, bytes)
    head += `__asm__(".section .rodata\\n${stem}_${i}_${kind}:\\n.incbin \\"${resolve(file)}\\"\\n.previous\\n");\n`
    head += `extern const unsigned char ${stem}_${i}_${kind}[];\n`
    f[kind] = bytes.length
  }
  const etag = createHash('sha256').update(f.bytes).digest('hex').slice(0, 16)
  const forever = /-[\w-]{8,}\.(js|css)$/.test(f.path)
  rows += `    {"${f.path}", "${type}", "${etag}", ${forever}, ${stem}_${i}_gz, ${f.gz}, ${stem}_${i}_br, ${f.br}},\n`
})
writeFileSync(out, `${head}\nconst struct web_file web_files[] = {\n${rows}};\nconst size_t web_file_count = ${files.length};\n`)
