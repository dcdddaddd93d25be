// Real Chromium before real programs: one site with the catalogue and the accounts that a test names, pages
// that are looked at (axe, sideways scroll, a screenshot where SHOTS says), a resident's filing by the pages.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HUB, PASSWORD, Site, run } from '../../scripts/demo/world.mjs'
import { png } from '../../scripts/demo/samples.mjs'

const require = createRequire(resolve('shared/web/package.json'))
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const shots = process.env.SHOTS
export const PHONE = { width: 360, height: 740 }
export const DESK = { width: 1440, height: 900 }

export const launch = (more = {}) => chromium.launch({
  executablePath: '/usr/bin/chromium', ...more,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
/** A browser whose profile outlives it: for what must be there after a kill. */
export const launchKept = (dir, more = {}) => chromium.launchPersistentContext(dir, {
  executablePath: '/usr/bin/chromium', bypassCSP: true, ...more,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

/** A hub with the shipped catalogue; `accounts`: [[username, name, role]]. Started; stop() also removes its folder. */
export async function office(name, accounts, { site = '331002000000', title = '椒江区' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), `doorstep-${name}-`))
  const s = new Site(join(dir, 's'), HUB, 's')
  run(HUB, ['init', '--data', s.dir, '--site', site, '--name', title])
  const all = ['items', 'calendar'].flatMap(d => readdirSync(`schema/catalogue/${d}`).map(f => `schema/catalogue/${d}/${f}`))
  run(HUB, ['catalogue', 'import', '--data', s.dir, ...all])
  for (const [username, who, role] of accounts)
    run(HUB, ['user', 'add', '--data', s.dir, '--username', username, '--name', who, '--role', role, '--site', site, '--password-stdin'], PASSWORD + '\n')
  await s.start()
  writeFileSync(join(dir, 'paper.png'), png())
  writeFileSync(join(dir, 'better.png'), png(640, 420, 5))
  const end = s.stop.bind(s)
  return Object.assign(s, { files: dir, end: async () => { await end(); rmSync(dir, { recursive: true, force: true }) } })
}

/** A page of its own browser context; errors of its scripts are kept and `done()` says that there were none. */
export async function page(browser, { viewport = PHONE, lang = 'zh-CN', ...more } = {}) {
  const context = await browser.newContext({ viewport, locale: lang, bypassCSP: true, ...more })
  const p = await context.newPage()
  const errors = []
  p.on('pageerror', e => errors.push(e.message))
  p.done = async () => {
    assert.deepEqual(errors, [])
    await context.close()
  }
  return p
}

export async function axeFaults(p) {
  return p.evaluate(async src => {
    if (!window.axe) new Function(src)()
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
    const faults = []
    for (const v of r.violations)
      for (const n of v.nodes) {
        // what the sill covers just now is measured again where one scrolls it to
        if (v.id === 'target-size') {
          const [x, y] = [scrollX, scrollY]
          document.querySelector(n.target[0]).scrollIntoView({ block: 'center' })
          const again = await window.axe.run(n.target[0], { runOnly: ['target-size'] })
          scrollTo(x, y)
          if (!again.violations.length) continue
        }
        faults.push(`${v.id}: ${n.target}`)
      }
    return faults
  }, axe)
}

/** No fault for axe, no sideways scroll; a picture where SHOTS names a folder. */
export async function look(p, name) {
  await p.waitForTimeout(200)      // what comes with a motion has come
  if (shots) {
    if (!existsSync(shots)) mkdirSync(shots, { recursive: true })
    await p.screenshot({ path: join(shots, name + '.png') })
  }
  assert.deepEqual(await axeFaults(p), [], name)
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 1, `${name} scrolls sideways by ${wide} px`)
}

export const main = p => p.locator('.sill .btn.main')
export const go = (p, path) => p.evaluate(h => { location.hash = h }, path)

/** Sign in at a desk and wait for the place of work. */
export async function signIn(p, url, username, password = PASSWORD) {
  await p.goto(url)
  await p.locator('#u').fill(username)
  await p.locator('#p').fill(password)
  await p.keyboard.press('Enter')
  await p.locator('.places').waitFor()
}

/** Choose a picture for a paper and take it as it is. */
export async function addPaper(p, box, file) {
  await p.locator(`${box} input[type=file]`).setInputFiles(file)
  await p.locator('dialog .btn.main').click()
  await p.locator(`${box} img.thumb`).waitFor()
}

/** Answer every question of the filing that is open, from whatever step it stands at, up to the check page. */
export async function answer(p, { paper, method = 'pickup', person = {} } = {}) {
  const values = { 'a-name': '林小溪', 'a-id': '339900199907040057', 'a-mobile': '10000000001', 'd-address': '葭沚街道示例路1号2幢301室', ...person }
  for (let i = 0; i < 20; i++) {
    await p.waitForFunction(() => document.querySelector('.sill .btn.main') && !document.querySelector('.bone'))
    if (await p.locator('#promise').count()) return
    if (await p.locator('.tasks').count()) {
      await main(p).click()
      await p.locator('.tasks').waitFor({ state: 'detached' })
      continue
    }
    if (await p.locator('#d-method').count()) await p.locator(`input[value=${method}]`).check()
    for (const box of await p.locator('form input[type=text], form textarea').all()) {
      const id = await box.getAttribute('id')
      if (await box.inputValue()) continue
      await box.fill(values[id] ?? (/id_number/.test(id) ? '339900198506130110' : /mobile/.test(id) ? '10000000002' : /count|area|capital|income/.test(id) ? '1' : '示例'))
    }
    for (const box of await p.locator('form input[type=date]').all()) await box.fill('2026-05-20')
    for (const group of await p.locator('form fieldset:not(#d-method)').all()) if (!(await group.locator('input:checked').count())) await group.locator('input[type=radio]').first().check()
    for (const box of await p.locator('form .paper').all()) {
      const id = await box.getAttribute('id')
      if (paper && !(await box.locator('img.thumb').count())) await addPaper(p, '#' + id, paper)
      else if (!paper && await box.locator('input[type=checkbox]').count()) await box.locator('input[type=checkbox]').first().check()      // promised, or later
    }
    const at = new URL(p.url()).hash
    await main(p).click()
    await p.waitForFunction(h => location.hash !== h, at)
  }
  assert.fail('the filing did not come to its end')
}

/** From the item to the receipt. Returns {no, code}. */
export async function file(p, item, how = {}) {
  await go(p, '/item/' + item)
  await main(p).click()
  await p.locator('.tasks').waitFor()
  await answer(p, how)
  await p.locator('#promise').check()
  await main(p).click()
  await p.locator('#query-code').waitFor({ timeout: 30000 })
  const no = (await p.locator('#case-no').textContent()).trim()
  assert.match(no, /^\d{21}$/)
  return { no, code: (await p.locator('#query-code').textContent()).trim() }
}
