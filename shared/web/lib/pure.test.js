// The modules without Vue: numbers, cleaning, days, file kinds, tables, search.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { fault, grouped, masked } from './idcard.js'
import * as clean from './clean.js'
import { clock, day, dayOf, daysLeft, moment, plain } from './dates.js'
import { kind } from './magic.js'
import { csv } from './csv.js'
import { byEvent, search } from './guide.js'
import { large, read, street } from './caseno.js'

test('valid citizen numbers, also as they are pasted', () => {
  for (const n of ['11010519491231002X', '339900198506130284', '3399 0019 8506 1300 9x', '339900201202290240', '３３９９００１９８５０６１３０２８４', '\u202d339900198506130284\u202c'])
    assert.equal(fault(n), null, n)
})
test('each fault of a citizen number has its own word', () => {
  assert.equal(fault(''), 'id.empty')
  assert.equal(fault('33990019850613011'), 'id.length')
  assert.equal(fault('331002190002290014'), 'id.date')
  assert.equal(fault('339900198506130111'), 'id.check')
  assert.equal(grouped('339900198506130284'), '339900 19850613 0284')
  assert.equal(masked('339900198506130284'), '339900********0284')
})
test('a pasted mobile number is read as it was meant, and what is wrong is said with its length', () => {
  for (const m of ['100 0000 0009', '+86 100 0000 0009', '0086-100-0000-0009', '\u202d10000000009\u202c', [...'10000000009'].map(c => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join('')])
    assert.equal(clean.mobile(m), '10000000009', JSON.stringify(m))
  assert.equal(clean.mobileFault('10000000009'), null)
  assert.deepEqual(clean.mobileFault('1000000000'), { key: 'e.mobile.length', n: 10 })
  assert.deepEqual(clean.mobileFault('100000000090'), { key: 'e.mobile.length', n: 12 })
  assert.equal(clean.mobileFault('abc').key, 'e.mobile.signs')
  assert.equal(clean.mobileFault('').key, 'e.mobile.empty')
})
test('names: blanks that nobody sees go, every middle dot is one, rare characters are whole', () => {
  assert.equal(clean.name('\u3000\u00a0林小溪\u200b '), '林小溪')
  for (const dot of '·．•‧・∙') assert.equal(clean.name(`古丽娜尔${dot}艾山`), '古丽娜尔·艾山')
  assert.equal(clean.text('\u3000\u200b'), '')
  assert.equal(clean.length('𠅤䶮㛃喆堃'), 5)
})
test('days are those of the office, whatever the machine says', () => {
  assert.equal(dayOf('2026-11-28T00:00:00+08:00') - dayOf('2026-11-27T23:59:59+08:00'), 1)
  assert.equal(clock('2026-11-27T06:07:00Z'), '14:07')
  assert.equal(day('2026-12-04T10:00:00+08:00'), '12 月 4 日（周五）')
  assert.equal(day('2026-12-04T10:00:00+08:00', 'en'), 'Fri 4 Dec')
  assert.equal(moment('2026-11-27T14:07:00+08:00', 'zh-CN', Date.parse('2026-11-27T23:00:00+08:00')), '今天 14:07')
  assert.equal(plain('2024-05-20'), '2024 年 5 月 20 日')
  assert.equal(daysLeft('2026-11-28T23:59:59+08:00', Date.parse('2026-11-28T00:01:00+08:00')), 0)
})
test('files are known by their first bytes', () => {
  const b = s => Uint8Array.from(s, c => c.charCodeAt(0))
  assert.equal(kind(b('\xff\xd8\xff\xe0')).type, 'image/jpeg')
  assert.equal(kind(b('\x89PNG\r\n\x1a\n')).type, 'image/png')
  assert.equal(kind(b('%PDF-1.7')).type, 'application/pdf')
  assert.equal(kind(b('RIFF\0\0\0\0WEBP')).type, 'image/webp')
  assert.equal(kind(b('\0\0\0\x18ftypheic')).refused, 'heic')
  assert.equal(kind(b('\0\0\0\x18ftypmif1')).refused, 'heic')
  assert.equal(kind(b('\0\0\0\x18ftypqt  ')).refused, 'video')
  assert.equal(kind(b('PK\x03\x04')).refused, 'office')
  assert.equal(kind(b('<svg')).refused, 'other')
})
test('a table for spreadsheets: what looks like a formula stays text', () => {
  assert.equal(csv([['a', 1], ['=1+1', '+86'], ['-x', '@y'], ['说"话"', '两,行\n三'], ['\t=1', '＝1']]),
    '\ufeffa,1\r\n\'=1+1,\'+86\r\n\'-x,\'@y\r\n"说""话""","两,行\n三"\r\n\'\t=1,\'＝1\r\n')
})
test('a case number is read in groups and found in what was pasted', () => {
  assert.equal(street('331002003261128500007'), '331002003')
  assert.equal(large('331002003261128500007'), '261128-50000-7')
  assert.equal(read(' 331002003 261128-50000-7 '), '331002003261128500007')
  assert.equal(read('12'), '')
})

const items = [
  { code: 'birth-registration-first', name: '一孩生育登记', name_en: 'Birth registration, first child', topics_person: ['生育收养'] },
  { code: 'birth-registration-second', name: '二孩生育登记', name_en: 'Birth registration, second child', topics_person: ['生育收养'] },
  { code: 'self-employed-open', name: '个体工商户设立登记', name_en: 'Open a business', topics_person: ['准营准办'] },
  { code: 'minimum-living', name: '最低生活保障认定', name_en: 'Minimum living allowance', topics_person: ['社会救助'] },
  { code: 'new-item', name: '新事项', name_en: 'New' },
]
const letters = { 准: 'z', 生: 's', 证: 'z', 育: 'y', 登: 'd', 记: 'j', 一: 'y', 孩: 'h', 二: 'e' }
const initials = c => letters[c] || c
test('search: names, old names, parts, first letters', () => {
  assert.deepEqual(search(items, '准生证').map(f => [f.item.code, f.via]), [['birth-registration-first', '准生证'], ['birth-registration-second', '准生证']])
  assert.equal(search(items, 'zsz', initials)[0].item.code, 'birth-registration-first')
  assert.equal(search(items, '低保')[0].item.code, 'minimum-living')
  assert.equal(search(items, '生育 登记').length, 2)
  assert.equal(search(items, 'business')[0].item.code, 'self-employed-open')
  assert.deepEqual(search(items, '  '), [])
  assert.deepEqual(search(items, '火星'), [])
})
test('life events: every item has its place, also one that the table does not know', () => {
  const groups = byEvent(items)
  assert.equal(groups.flatMap(g => g.items).length, items.length)
  assert.deepEqual(groups.at(-1), { key: 'other', items: [items[4]] })
})
