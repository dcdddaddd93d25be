// The clerk's desk: 300 cases by their deadline, papers beside answers, a verdict on each that becomes the notice,
// one pass with what is printed seen first, many at once; by keyboard; whose screen it is.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD, until } from '../../scripts/demo/world.mjs'
import { pdf, png } from '../../scripts/demo/samples.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { DESK, PHONE, addPaper, answer, go, launch, look, main, office, page, signIn } from './browser.mjs'

let site, browser, api, item, digests
const desk = () => site.url + '/desk.html'
const NAMES = '陈晓月 周明远 林素琴 何思齐 吴小满 沈一诺 郑海生 冯雅 蒋文博 韩松 杨柳青 许志强 曹丽 邓国华 彭静'.split(' ')
/** A citizen number that fits GB 11643, the n-th. */
function citizen(n) {
  const s = '339900' + (19500101 + (n % 9) * 10000) + String(n % 1000).padStart(3, '0')
  const w = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  return s + '10X98765432'[[...s].reduce((a, c, i) => a + w[i] * c, 0) % 11]
}
const one = async (n, name = NAMES[n % NAMES.length], what = item) =>
  api.post('/cases', filing(what, { name, id_type: '111', id_number: citizen(n), mobile: '10000000001' }, what === item ? digests : [digests[0], digests[2]], 'courier'))

before(async () => {
  site = await office('clerk', [['clerk', '窗口甲', 'clerk'], ['clerk2', '窗口乙', 'clerk'], ['courier', '郑国平', 'courier']])
  browser = await launch()
  api = new Client(site.url)
  await api.signIn('clerk', PASSWORD)
  item = await api.get('/items/birth-registration-first')
  digests = [await api.upload(png(900, 600), 'image/png', 'card.png'), await api.upload(pdf('Marriage certificate'), 'application/pdf', 'marriage.pdf'), await api.upload(png(500, 700, 7), 'image/png', 'book.png')]
  const slow = await api.get('/items/residence-permit')
  for (let n = 0; n < 300; n++) await one(n, undefined, n % 3 ? item : slow)
}, { timeout: 120000 })
after(async () => {
  await browser?.close()
  await site?.end()
})

test('300 cases: counts that are true, sorting, paging and filters in the address, back and reload at the same place', { timeout: 90000 }, async () => {
  const p = await page(browser, { viewport: DESK })
  await signIn(p, desk(), 'clerk')
  await p.locator('tbody tr').first().waitFor()
  assert.equal(await p.locator('.segs .tally').first().textContent(), '300')
  assert.equal(await p.locator('tbody tr').count(), 17)
  assert.match(await p.locator('.pager').textContent(), /第 1–17 件，共 300 件/)
  await look(p, '21-queue')
  const yellow = Number(await p.locator('.segs a', { hasText: '今明到期' }).locator('.tally').textContent())
  assert.equal(yellow, 200)
  assert.equal(await p.locator('tbody tr .light').first().getAttribute('data-light'), 'yellow', 'the urgent ones first')
  await p.locator('.segs a', { hasText: '正常' }).click()
  assert.match(await p.locator('.pager').textContent(), /共 100 件/)
  await p.locator('.pager a', { hasText: '下一页' }).click()
  await p.locator('th button', { hasText: '申请人' }).click()
  const at = p.url()
  assert.match(at, /light=green/)
  const first = await p.locator('tbody th a').first().textContent()
  await p.reload()
  await p.locator('tbody tr').first().waitFor()
  assert.equal(p.url(), at)
  assert.equal(await p.locator('tbody th a').first().textContent(), first)
  await p.locator('tbody th a').first().click()
  await p.locator('.casehead').waitFor()
  await p.goBack()
  assert.equal(p.url(), at)
  await p.keyboard.press('/')
  await p.keyboard.type('彭静')
  await p.keyboard.press('Enter')
  await p.locator('p[role], p .quiet, p span[role=status]').first().waitFor()
  await until('the found', async () => (await p.locator('tbody th').allTextContents()).every(x => x.trim() === '彭静'))
  await p.setViewportSize(PHONE)
  await go(p, '/queue')
  await p.locator('tbody tr').first().waitFor()
  await look(p, '21-queue-phone')
  await p.done()
})

test('by keyboard alone: next case, every paper judged, the notice, completion in one pass with few keys', { timeout: 90000 }, async () => {
  const p = await page(browser, { viewport: DESK })
  await signIn(p, desk(), 'clerk')
  await p.locator('tbody tr').first().waitFor()
  let keys = 0
  const key = async k => { keys++; await p.keyboard.press(k) }
  await key('n')
  await p.locator('.stage img').waitFor()
  await look(p, '21-case')
  const no = /case\/(\d{21})/.exec(p.url())[1]
  for (let i = 0; i < 3; i++) await key(i ? 'Space' : 'y')
  await key('a')
  await p.locator('dialog .btn.main').waitFor()
  await look(p, '21-preview')
  await key('Enter')
  await p.locator('#issued').waitFor()
  assert.ok(keys <= 8, `${keys} keys`)
  assert.equal((await api.get('/cases/' + no)).state, 'completed')
  await look(p, '21-done')
  await p.keyboard.press('Enter')
  await p.waitForFunction(n => !location.hash.includes(n) && /case\//.test(location.hash), no)
  // the next one: second paper is a PDF, wrong; its reason is chosen by keys
  await p.locator('.stage img').waitFor()
  const second = /case\/(\d{21})/.exec(p.url())[1]
  await p.keyboard.press('2')
  await p.locator('.stage canvas').waitFor()
  await until('the page of the PDF', () => p.locator('.stage canvas').evaluate(c => {
    if (!c.width) return false
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
    for (let i = 0; i < d.length; i += 4) if (d[i + 3] && d[i] < 100) return true
    return false
  }))
  await look(p, '21-pdf')
  await p.keyboard.press('r')
  await p.keyboard.press('+')
  await p.keyboard.press('x')
  await p.locator('#why').waitFor()
  assert.equal(await p.evaluate(() => document.activeElement.id), 'why')
  await p.keyboard.press('ArrowDown')
  await p.keyboard.press('Tab')
  await p.reload()
  await p.locator('.chip[data-tone=bad]').first().waitFor()     // a verdict outlives a reload
  await p.keyboard.press('b')
  await p.locator('dialog .letter').waitFor()
  assert.match(await p.locator('dialog .letter').textContent(), /还差 1 样[\s\S]*1\. 结婚证：只收到一面/)
  await p.keyboard.press('Enter')
  await until('the notice', async () => (await api.get('/cases/' + second)).state === 'correction_required')
  assert.match((await api.get('/cases/' + second)).asked, /结婚证/)
  await p.locator('dialog').waitFor({ state: 'detached' })
  await p.keyboard.press('Shift+?')
  await p.locator('dialog kbd').first().waitFor()
  await look(p, '21-keys')
  await p.keyboard.press('Escape')
  await p.keyboard.press('Escape')
  await p.waitForTimeout(50)
  await p.keyboard.press('Escape')
  await p.locator('.veil').waitFor()
  assert.equal(await p.locator('#shown').isVisible(), false, 'Esc Esc hides the screen')
  await p.keyboard.press('a')
  await p.locator('#shown').waitFor()
  await p.done()
})

test('a double press completes once; two who decide the same case: the second is told', { timeout: 60000 }, async () => {
  const a = await page(browser, { viewport: DESK }), b = await page(browser, { viewport: DESK })
  const { case_no: no } = await one(901, '双击')
  await signIn(a, desk(), 'clerk')
  await signIn(b, desk(), 'clerk2')
  const seen = []
  a.on('request', r => { if (/actions$/.test(r.url())) seen.push(r.headers()['doorstep-user']) })
  for (const p of [a, b]) {
    await go(p, '/case/' + no)
    await p.locator('.stage img').waitFor()
  }
  await main(a).click()
  await a.locator('dialog .btn.main').dblclick()
  await a.locator('#issued').waitFor()
  assert.deepEqual(seen, ['clerk'], 'one request, and it says whom the page shows')
  await main(b).click()
  await b.locator('dialog .btn.main').click()
  await b.locator('.toast.bad').waitFor()
  assert.match(await b.locator('.toast.bad').textContent(), /最新的样子/)
  await look(b, '21-second')
  await a.done()
  await b.done()
})

test('many at once: a result for each', { timeout: 60000 }, async () => {
  const p = await page(browser, { viewport: DESK })
  const names = ['批量甲', '批量乙', '批量丙']
  const made = []
  for (const [i, n] of names.entries()) made.push((await one(910 + i, n)).case_no)
  await signIn(p, desk(), 'clerk')
  await p.locator('#qs').fill('批量')
  await p.keyboard.press('Enter')
  await until('three', async () => (await p.locator('tbody tr').count()) === 3)
  await p.locator('thead .tick').check()
  await api.post(`/cases/${made[1]}/actions`, { action: 'withdraw', reason: '居民来电说不办了' })       // meanwhile
  await p.locator('.batch .btn').first().click()
  await look(p, '21-batch')
  await p.locator('dialog .btn.main').click()
  await p.locator('dialog h2', { hasText: '2 件成，1 件没成' }).waitFor()
  await look(p, '21-results')
  assert.deepEqual(await Promise.all(made.map(async n => (await api.get('/cases/' + n)).state)), ['completed', 'withdrawn', 'completed'])
  await p.done()
})

test('another person at the same browser: nothing of the last one is left, and nothing is written under her name', { timeout: 90000 }, async () => {
  const context = await browser.newContext({ viewport: DESK, locale: 'zh-CN', bypassCSP: true })
  const a = await context.newPage(), b = await context.newPage()
  await signIn(a, desk(), 'clerk')
  const { case_no: no } = await one(920, '两人一机')
  await go(a, '/case/' + no)
  await a.locator('.stage img').waitFor()
  await b.goto(desk())
  await b.locator('.menu summary').click()
  await b.locator('.menu button', { hasText: '退出' }).click()
  await b.locator('#u').waitFor()
  assert.ok(!(await b.content()).includes('两人一机'))
  await a.locator('#u').waitFor()                                  // signed out in one tab, gone in the other
  await signIn(a, desk(), 'clerk')
  await go(a, '/case/' + no)
  await a.locator('.stage img').waitFor()
  await a.evaluate(() => {                                          // the other tab signs in as somebody else while this one sleeps
    window.stopped = true
    addEventListener('storage', e => e.stopImmediatePropagation(), true)
  })
  await b.evaluate(async ([u, pw]) => {
    await fetch('/api/v1/sessions', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username: u, password: pw }) })
    localStorage.setItem('doorstep-who', JSON.stringify({ username: u, name: '窗口乙', role: 'clerk', site: '331002000000' }))
  }, ['clerk2', PASSWORD])
  await a.bringToFront()
  if (!(await a.locator('.veil').count())) {
    await main(a).click()
    await a.locator('dialog .btn.main').click()
  }
  await a.locator('.veil').waitFor()
  await look(a, '21-other')
  assert.equal((await api.get('/cases/' + no)).state, 'submitted', 'nothing was written')
  await a.locator('.veil .btn').click()
  await a.locator('.menu summary', { hasText: '窗口乙' }).waitFor()
  await context.close()
})

test('the session ends in the middle: the password is asked over the page, the words stay', { timeout: 60000 }, async () => {
  const p = await page(browser, { viewport: DESK })
  const { case_no: no } = await one(930, '到时间了')
  await signIn(p, desk(), 'clerk')
  await go(p, '/case/' + no)
  await p.locator('.stage img').waitFor()
  await p.locator('.more-acts summary').click()
  await p.locator('.more-acts button', { hasText: '记一笔' }).click()
  await p.locator('#d-why').fill('电话里说下午来取')
  await p.context().clearCookies()
  await p.locator('dialog .btn.main').click()
  await p.locator('#o-p').waitFor()
  await look(p, '21-over')
  await p.locator('#o-p').fill('wrong password')
  await p.keyboard.press('Enter')
  await p.locator('.err').waitFor()
  await p.locator('#o-p').fill(PASSWORD)
  await p.keyboard.press('Enter')
  await until('the note', async () => (await api.get('/cases/' + no)).timeline.some(e => e.text === '电话里说下午来取'))
  await p.done()
})

test('at the counter: a filing by the same questions, its receipt, and papers taken in later', { timeout: 90000 }, async () => {
  const p = await page(browser, { viewport: DESK })
  await signIn(p, desk(), 'clerk')
  await go(p, '/file')
  await p.locator('#fs').fill('营业执照')
  await p.locator('button.rowlink', { hasText: '设立' }).click()
  await p.locator('.tasks').waitFor()
  await look(p, '21-file')
  await answer(p, { person: { 'a-name': '钱小满', 'a-mobile': '10000000051' } })
  await look(p, '21-file-check')
  await p.locator('#promise').check()
  await main(p).dblclick()
  await p.locator('#query-code').waitFor()
  await look(p, '21-slip')
  const no = (await p.locator('#case-no').textContent()).trim()
  await p.locator('a', { hasText: '看这一件' }).click()
  await p.locator('.casehead').waitFor()
  await p.locator('.sill > button', { hasText: '收补来的材料' }).click()
  await p.locator('#s-photo').waitFor()
  await addPaper(p, '#s-photo', join(site.files, 'paper.png'))
  await p.waitForFunction(() => !document.querySelector('.sill .btn.main').getAttribute('aria-disabled'))
  await main(p).click()
  await until('the paper', async () => (await api.get('/cases/' + no)).materials.find(m => m.code === 'photo').documents.length === 1)
  await p.done()
})
