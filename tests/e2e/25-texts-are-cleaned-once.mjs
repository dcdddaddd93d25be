// One cleaning of every text that comes in: what shows nothing is blank, what misleads is refused with its field, numbers
// lose the blanks that a paste brings, and a search finds what is stored, letter by letter.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { PASSWORD, until } from '../../scripts/demo/world.mjs'
import { Client } from '../../scripts/demo/client.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { hub } from './door.mjs'

const who = { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' }
let site, clerk, item, paper
before(async () => {
  site = await hub('texts', { users: [['clerk', 'clerk'], ['admin', 'admin']], catalogue: true })
  clerk = new Client(site.url)
  await clerk.signIn('clerk', PASSWORD)
  item = await until('the item', () => clerk.get('/items/birth-registration-first'))
  paper = await clerk.upload(png(), 'image/png', 'paper.png')
}, { timeout: 60000 })
after(() => site?.clean())

const file = applicant => clerk.post('/cases', filing(item, { ...who, ...applicant }, [paper], 'pickup'))
const refused = (p, field) => assert.rejects(p, e => {
  assert.equal(e.status, 422, e.message)
  assert.equal(e.body.field, field, JSON.stringify(e.body))
  assert.ok(e.body.detail)
  return true
})

for (const [what, name] of [['ideographic blanks', '\u3000\u3000'], ['a no-break blank', '\u00a0'], ['zero width', '\u200b\u200d\ufeff'], ['a filler', '\u3164'], ['a soft hyphen', '\u00ad'], ['a selector alone', '\ufe0f']])
  test(`a name of ${what} is blank`, () => refused(file({ name }), 'applicant.name'))
for (const [what, name] of [['a line break', '王\n编号 FAKE0001'], ['a line separator', '王\u2028编号'], ['an escape', '王\u001b[31m'], ['a bell', '王\u0007'], ['a turned direction', '王\u202e1000'], ['an isolate', '王\u2066x']])
  test(`a name with ${what} is refused`, () => refused(file({ name }), 'applicant.name'))

test('what is refused says so in both languages, and any field is looked at', async () => {
  const b = filing(item, who, [paper], 'pickup')
  b.delivery = { ...b.delivery, recipient: 'a\u202eb' }
  await refused(clerk.post('/cases', b), 'delivery.recipient')
  const e = await clerk.post('/cases', b, { 'Accept-Language': 'en' }).catch(x => x)
  assert.match(e.body.detail, /invisible characters/)
  const z = await clerk.post('/cases', b, { 'Accept-Language': 'zh-CN' }).catch(x => x)
  assert.match(z.body.detail, /不可见字符/)
})
test('a name keeps its rare characters and variations, and loses its blanks at the ends', async () => {
  for (const [given, kept] of [['\u3000周大海\u00a0', '周大海'], ['林𠅤䶮㛃喆堃', '林𠅤䶮㛃喆堃'], ['辻\u{e0100}一', '辻\u{e0100}一'], ['阿依\u3000古丽', '阿依 古丽'], ['买买提·吐尔逊', '买买提·吐尔逊']]) {
    const c = await file({ name: given })
    assert.equal((await clerk.get('/cases/' + c.case_no)).applicant.name, kept)
  }
})
test('numbers that were pasted', async () => {
  for (const mobile of ['100 0000 0009', '\u202d10000000009\u202c', ' 10000000009\u00a0', '1000\u200b0000009']) {
    const c = await file({ mobile, id_number: ' 339900 19850613 0110 ' })
    const { applicant } = await clerk.get('/cases/' + c.case_no)
    assert.equal(applicant.mobile, '10000000009')
    assert.equal(applicant.id_number, who.id_number)
  }
})
test('a password is not touched', async () => {
  const admin = new Client(site.url)
  await admin.signIn('admin', PASSWORD)
  const password = '  blanks belong to it  '
  await admin.post('/accounts', { username: 'blanks', name: '空格', role: 'clerk', site: '331002000000', password })
  await until('the account', () => new Client(site.url).signIn('blanks', password).then(() => true), 10000, 300)
  await assert.rejects(new Client(site.url).signIn('blanks', password.trim()), e => e.status === 401)
})
test('a search is cleaned like the data, and its wildcards are letters', async () => {
  const x = await file({ name: '查询者', id_number: '33990019850613009X' })
  await file({ name: '五成%用户_甲' })
  const find = async q => (await clerk.get('/cases?q=' + encodeURIComponent(q))).cases
  assert.ok((await find('33990019850613009x')).some(c => c.case_no === x.case_no), 'a small x')
  assert.ok((await find('\u3000查询\u00a0')).some(c => c.case_no === x.case_no), 'blanks')
  assert.deepEqual((await find('%')).map(c => c.applicant_name), ['五成%用户_甲'])
  assert.deepEqual((await find('_')).map(c => c.applicant_name), ['五成%用户_甲'])
  assert.deepEqual((await find('成%用')).map(c => c.applicant_name), ['五成%用户_甲'])
  assert.deepEqual(await find('查_者'), [])
  assert.deepEqual(await find('\\'), [])
})
