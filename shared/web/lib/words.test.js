// The words: the same keys and places to fill in both languages, none of the office's cold words, and every
// key that a page names is there.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const words = n => JSON.parse(readFileSync(join(top, 'words', n), 'utf8'))
const parts = ['', '.filing', '.office']
const all = Object.assign({}, ...parts.map(p => words(`zh-CN${p}.json`)))
const walk = d => readdirSync(d).flatMap(n => {
  if (n === 'node_modules') return []
  return statSync(join(d, n)).isDirectory() ? walk(join(d, n)) : [join(d, n)]
})

test('both languages have the same keys, each once', () => {
  const seen = new Set()
  for (const p of parts) {
    const zh = words(`zh-CN${p}.json`), en = words(`en${p}.json`)
    assert.deepEqual(Object.keys(zh), Object.keys(en), p)
    for (const k of Object.keys(zh)) {
      assert.ok(!seen.has(k), `${k} stands twice`)
      seen.add(k)
      const fills = s => [...new Set([...s.matchAll(/\{(\w+)\}/g)].map(m => m[1]))].sort()
      const forms = en[k].split('|')
      for (const f of fills(zh[k])) if (f !== 'n' && k !== 'reason.kind.say') assert.ok(forms.every(x => fills(x).includes(f)), `${k}: {${f}} is missing in English`)
    }
  }
})

test('no word that blames, frightens or says nothing', () => {
  const never = /未按要求|逾期|不合格|拒不|补正|容缺|即办件|承诺件|前审后批|特此|予以|兹|该办件|操作失败|系统繁忙|无效输入|非法|权限不足|联系管理员|请先更正|请自行|一律|后果自负|恭喜|[!！]/
  for (const [k, v] of Object.entries(all)) {
    assert.doesNotMatch(v, never, k)
    assert.notEqual(v, '确定', k)
    assert.notEqual(v, '取消', k)
    assert.doesNotMatch(v, /[\u4e00-\u9fff]\d|\d[\u4e00-\u9fff]/, `${k}: a blank stands between Chinese and figures`)
  }
})

test('every key that a page names is in the words', () => {
  const missing = []
  for (const f of walk(top).filter(f => /\.(vue|js)$/.test(f) && !/\.test\.js$/.test(f))) {
    const s = readFileSync(f, 'utf8')
    for (const m of s.matchAll(/\bt\('([^']+)'\s*[,)]/g)) if (!(m[1] in all) && m[1] !== 'key') missing.push(`${f.slice(top.length + 1)}: ${m[1]}`)
    // t('state.' + x): the family must have a member
    for (const m of s.matchAll(/\bt\('([a-z.]+\.)' \+/g)) if (!Object.keys(all).some(k => k.startsWith(m[1]))) missing.push(`${f.slice(top.length + 1)}: ${m[1]}*`)
  }
  assert.deepEqual(missing, [])
})
