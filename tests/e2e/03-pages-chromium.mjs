// The pages in real Chromium on a phone's width: a resident files with an uploaded paper and follows the
// case; the clerk signs in at the desk, sees the paper, completes it. Chinese and English; no axe faults.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HUB, PASSWORD, PATIENCE_MS, PATIENT, Site, run, until } from '../../scripts/demo/world.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const require = createRequire(resolve('shared/web/package.json'))
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const dir = mkdtempSync(join(tmpdir(), 'doorstep-pages-'))
const shots = process.env.SHOTS
const site = new Site(join(dir, 's'), HUB, 's')
let browser

before(async () => {
  run(HUB, ['init', '--data', site.dir, '--site', '331002000000', '--name', '椒江区'])
  const all = ['items', 'calendar'].flatMap(d => readdirSync(`schema/catalogue/${d}`).map(f => `schema/catalogue/${d}/${f}`))
  run(HUB, ['catalogue', 'import', '--data', site.dir, ...all])
  run(HUB, ['user', 'add', '--data', site.dir, '--username', 'clerk', '--name', '窗口甲', '--role', 'clerk', '--site', '331002000000', '--password-stdin'], PASSWORD + '\n')
  await site.start()
  writeFileSync(join(dir, 'paper.png'), png())
  writeFileSync(join(dir, 'better.png'), png(640, 420, 5))
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    timeout: PATIENCE_MS,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}, PATIENT)
after(async () => {
  await browser?.close()
  await site.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function look(page, name) {
  if (shots) {
    if (!existsSync(shots)) mkdirSync(shots, { recursive: true })
    await page.screenshot({ path: join(shots, name + '.png'), fullPage: true })
  }
  const faults = await page.evaluate(async src => {
    if (!window.axe) new Function(src)()
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
    return r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target).join(' ')}`)
  }, axe).catch(e => [String(e)])
  assert.deepEqual(faults, [], name)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 1, `${name} scrolls sideways by ${wide} px`)
}

for (const lang of ['zh-CN', 'en'])
  test(`a resident files and a clerk completes (${lang})`, PATIENT, async () => {
    const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: lang, bypassCSP: true })
    phone.setDefaultTimeout(PATIENCE_MS)
    const page = await phone.newPage()
    const errors = []
    page.on('pageerror', e => errors.push(e.message))
    await page.goto(site.url + '/')
    await page.locator('a[href="#/item/birth-registration-first"]').waitFor()
    await look(page, `home-${lang}`)
    await page.locator('a[href="#/item/birth-registration-first"]').click()
    await page.locator('a[href="#/apply/birth-registration-first"]').waitFor()
    await look(page, `item-${lang}`)
    await page.locator('a[href="#/apply/birth-registration-first"]').click()
    await page.locator('#a-name').fill('林小溪')
    await page.locator('#a-id').fill('3399 0019 9907 0400 58')
    await page.locator('#a-mobile').fill('10000000001')
    await page.locator('form button.primary').click()
    await page.locator('.summary').waitFor()
    await look(page, `error-${lang}`)
    await page.locator('#a-id').fill('3399 0019 9907 0400 57')
    await page.locator('form button.primary').click()
    for (let i = 0; i < 4 && !(await page.locator('input[type=file]').count()); i++) {
      for (const box of await page.locator('form input[type=text], form textarea').all()) {
        const id = await box.getAttribute('id')
        if (!(await box.inputValue())) await box.fill(/id|number/.test(id) ? '339900198506130110' : /mobile|phone/.test(id) ? '10000000002' : /count|order|number/.test(id) ? '1' : '示例')
      }
      for (const box of await page.locator('form input[type=date]').all()) await box.fill('2026-05-20')
      for (const group of await page.locator('form fieldset').all()) await group.locator('input[type=radio]').first().check()
      const head = await page.locator('h1').textContent()
      await page.locator('form button.primary').click()
      await until('the next step, or what is wrong', async () => (await page.locator('h1').textContent()) !== head || (await page.locator('.summary').count()))
    }
    for (const card of await page.locator('form .card').all()) {
      await card.locator('input[type=file]').setInputFiles(join(dir, 'paper.png'))
      await card.locator('li').first().waitFor()
    }
    await look(page, `papers-${lang}`)
    await page.locator('form button.primary').click()
    await page.locator('input[value=pickup]').check()
    await page.locator('form button.primary').click()
    await page.locator('dl.pairs').waitFor()
    await look(page, `check-${lang}`)
    await page.locator('form button.primary').click()
    await page.locator('#case-no').waitFor()
    const no = (await page.locator('#case-no').textContent()).trim()
    assert.match(no, /^\d{21}$/)
    await look(page, `done-${lang}`)
    await page.locator('main a.button.primary').click()
    await page.locator('ol.steps li').first().waitFor()
    await look(page, `track-${lang}`)

    const desk = await browser.newContext({ viewport: { width: 1366, height: 850 }, locale: lang, bypassCSP: true })
    desk.setDefaultTimeout(PATIENCE_MS)
    const d = await desk.newPage()
    d.on('pageerror', e => errors.push(e.message))
    await d.goto(site.url + '/desk.html')
    await d.locator('#u').fill('clerk')
    await d.locator('#p').fill(PASSWORD)
    await look(d, `signin-${lang}`)
    await d.locator('form button.primary').click()
    await d.locator(`button:has-text("${no.slice(-12)}")`).click()
    await d.locator('.papers img').first().waitFor()
    await until('the picture', () => d.locator('.papers img').first().evaluate(i => i.complete && i.naturalWidth > 0))
    await look(d, `desk-case-${lang}`)
    // The clerk asks for a better paper; the resident hands it in from the phone; the desk goes on.
    await d.locator('[role=group] button', { hasText: lang === 'en' ? 'Ask for corrections' : '补正' }).click()
    await d.locator('#reason').fill('身份证照片不清楚，请重拍')
    await d.locator('form.card button.primary').click()
    await d.locator('.note.ok').waitFor()
    await page.reload()
    await page.locator('form.card .note.warn').waitFor()
    await look(page, `asked-${lang}`)
    await page.locator('form.card input[type=file]').first().setInputFiles(join(dir, 'better.png'))
    await page.locator('form.card li').first().waitFor()
    await page.locator('form.card .row button.primary:not([disabled])').click()
    await until('the paper at the office', async () => (await page.locator('ol.steps li').count()) >= 3)
    await d.locator('select').first().selectOption('submitted')
    await d.locator(`button:has-text("${no.slice(-12)}")`).click()
    await until('the paper at the desk', async () => (await d.locator('ol.steps li').count()) >= 3)
    await d.locator('[role=group] button.primary').click()
    await d.locator('a[href^="/certificate.html#"]').waitFor()
    await look(d, `desk-completed-${lang}`)
    const href = await d.locator('a[href^="/certificate.html#"]').getAttribute('href')
    await d.goto(site.url + href)
    await d.locator('article img').waitFor()
    await look(d, `certificate-${lang}`)
    await d.setViewportSize({ width: 390, height: 844 })
    await d.goto(site.url + '/desk.html')
    await d.locator('table').waitFor()
    await look(d, `desk-phone-${lang}`)
    assert.deepEqual(errors, [])
    await phone.close()
    await desk.close()
  })
