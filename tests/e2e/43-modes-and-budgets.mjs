// Every page in every theme, type size and language: no fault for axe, no sideways scroll, also at 320 px; and what
// the first visit costs.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD } from '../../scripts/demo/world.mjs'
import { png } from '../../scripts/demo/samples.mjs'
import { filing } from '../../scripts/demo/story.mjs'
import { DESK, PHONE, axeFaults, addPaper, answer, go, launch, look, main, office, page, signIn } from './browser.mjs'

let site, browser, clerk, item
const MODES = [
  { lang: 'zh-CN', theme: 'light', size: 'huge' }, { lang: 'zh-CN', theme: 'dark', size: '' }, { lang: 'zh-CN', theme: 'contrast', size: 'elder' },
  { lang: 'en', theme: 'forced', size: '' }, { lang: 'en', theme: 'dark', size: 'huge' }, { lang: 'en', theme: 'light', size: 'elder' },
]
const USERS = [['clerk', '窗口甲', 'clerk'], ['dispatcher', '方晨', 'dispatcher'], ['courier', '郑国平', 'courier'], ['supervisor', '许闻', 'supervisor'], ['admin', '丁一', 'admin'], ['reviewer', '高岩', 'reviewer']]

before(async () => {
  site = await office('modes', USERS)
  browser = await launch()
  clerk = new Client(site.url)
  await clerk.signIn('clerk', PASSWORD)
  item = await clerk.get('/items/birth-registration-first')
  const digest = await clerk.upload(png(), 'image/png', 'card.png')
  for (let i = 0; i < 4; i++) {
    const body = filing(item, { name: ['王建国', '赵德福', '林素琴', '古丽娜尔·艾山·买买提依明江'][i], id_type: '111', id_number: '339900198506130110', mobile: '10000000009' }, [digest], 'courier')
    body.delivery.address = `桥南路6号2幢10${i}室`
    const { case_no: no } = await clerk.post('/cases', body)
    if (i < 2) {
      await clerk.post(`/cases/${no}/actions`, { action: 'complete' })
      await clerk.post(`/deliveries/${no}-1/actions`, { action: 'assign', to: 'courier' })
    }
  }
}, { timeout: 60000 })
after(async () => {
  await browser?.close()
  await site?.end()
})

/** The page as it stands, in every mode; the phone's pages at 320 px too. */
async function everyMode(p, name, narrow) {
  for (const m of MODES) {
    await p.evaluate(({ lang, theme, size }) => {
      localStorage.setItem('lang', lang)
      for (const [k, v] of [['theme', theme === 'forced' ? '' : theme], ['size', size]]) v ? localStorage.setItem(k, v) : localStorage.removeItem(k)
    }, m)
    await p.emulateMedia({ forcedColors: m.theme === 'forced' ? 'active' : 'none' })
    await p.reload()
    await p.locator('main h1, main h2').first().waitFor({ state: 'attached' })
    await p.waitForFunction(() => !document.querySelector('[aria-busy=true]'))
    await look(p, `23-${name}-${m.lang}-${m.theme}-${m.size || 'plain'}`)
    if (!narrow) continue
    await p.setViewportSize({ width: 320, height: 640 })
    await look(p, `23-${name}-${m.lang}-${m.theme}-${m.size || 'plain'}-320`)
    await p.setViewportSize(PHONE)
  }
  await p.emulateMedia({ forcedColors: 'none' })
  await p.evaluate(() => { for (const k of ['lang', 'theme', 'size']) localStorage.removeItem(k) })
  await p.reload()
  await p.locator('main h1, main h2').first().waitFor({ state: 'attached' })
}

test('the residents\' pages', { timeout: 400000 }, async () => {
  const p = await page(browser)
  await p.goto(site.url + '/')
  await everyMode(p, 'home', true)
  for (const [name, at] of [['event', '/event/child'], ['search', '/search?q=准生证'], ['item', '/item/birth-registration-first'], ['track', '/track'], ['verify', '/verify'], ['lost', '/nowhere']]) {
    await go(p, at)
    await p.locator('main h1').waitFor({ state: 'attached' })
    await everyMode(p, name, name === 'item')
  }
  await go(p, '/item/birth-registration-first')
  await main(p).click()
  await p.locator('.tasks').waitFor()
  await everyMode(p, 'tasks', true)
  const draft = new URL(p.url()).hash
  await go(p, draft.slice(1) + '/who')
  await p.locator('#a-name').waitFor()
  await everyMode(p, 'who', true)
  await go(p, draft.slice(1) + '/papers')
  await p.locator('#m-statement').waitFor()
  await addPaper(p, '#m-statement', join(site.files, 'paper.png'))
  await everyMode(p, 'papers', true)
  await go(p, draft.slice(1))
  await answer(p, { method: 'agent' })
  await everyMode(p, 'check', true)
  await p.locator('#promise').check()
  await main(p).click()
  await p.locator('#query-code').waitFor()
  await everyMode(p, 'receipt', true)
  const no = (await p.locator('#case-no').textContent()).trim(), code = (await p.locator('#query-code').textContent()).trim()
  await clerk.post(`/cases/${no}/actions`, { action: 'request_supplement', reason: '还差 1 样。\n1. 婚育情况声明：看不清，请在亮处重拍一张。' })
  await go(p, `/c/${no}/${code}`)
  await p.locator('.trail').waitFor()
  await everyMode(p, 'asked', true)
  await go(p, `/c/${no}/${code}/papers`)
  await p.locator('.paper').first().waitFor()
  await everyMode(p, 'supplement', false)
  await p.done()
})

for (const [user, places, viewport] of [
  ['clerk', ['/queue', '/waiting', '/done', '/file', '/unsent', '/board', 'case', 'hand'], DESK],
  ['supervisor', ['/figures', '/lights', '/sites'], DESK],
  ['admin', ['/accounts', '/items', '/items/elderly-card', '/upkeep'], DESK],
  ['dispatcher', ['/board?state=assigned', '/returned'], DESK],
  ['courier', ['/round', '/delivered'], PHONE],
  ['clerk', ['/queue', 'case'], PHONE],
])
  test(`the workplace: ${user} ${viewport.width} px`, { timeout: 400000 }, async () => {
    const p = await page(browser, { viewport })
    await p.goto(site.url + '/desk.html')
    await p.locator('#u').waitFor()
    await everyMode(p, 'signin', false)
    await signIn(p, site.url + '/desk.html', user)
    const open = (await clerk.get('/cases?state=submitted')).cases[0].case_no, out = (await clerk.get('/deliveries?state=assigned')).deliveries[0].id
    for (const at of places) {
      await go(p, at === 'case' ? '/case/' + open : at === 'hand' ? '/hand/' + out : at)
      await p.locator('main h1').waitFor()
      await everyMode(p, `${user}-${at.replace(/\W+/g, '')}-${viewport.width}`, false)
    }
    await p.done()
  })

test('budgets: what a first visit loads, as gzip', { timeout: 60000 }, async () => {
  for (const [path, most, ready] of [['/', 60000, '.doors a'], ['/desk.html', 150000, '#u']]) {
    const p = await page(browser)
    const files = new Set()
    p.on('response', r => { if (/\.(js|css)$/.test(new URL(r.url()).pathname)) files.add(r.url()) })
    await p.goto(site.url + path)
    await p.locator(ready).first().waitFor()
    let sum = 0
    for (const f of files) sum += gzipSync(Buffer.from(await (await fetch(f, { headers: { 'Accept-Encoding': 'gzip' } })).arrayBuffer()), { level: 9 }).length
    assert.ok(sum <= most, `${path}: ${sum} bytes, at most ${most}`)
    assert.deepEqual(await axeFaults(p), [])
    await p.done()
  }
})
