// The resident on the phone: found by an old name, left and taken up again after reload and kill, photographs
// of every kind, the line gone at the worst moment, the receipt had again, all by keyboard alone.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { Client } from '../../scripts/demo/client.mjs'
import { PASSWORD, until } from '../../scripts/demo/world.mjs'
import { jpeg } from '../../scripts/demo/samples.mjs'
import { PHONE, addPaper, answer, file, go, launch, launchKept, look, main, office, page } from './browser.mjs'

let site, browser, clerk, kept
const paper = () => join(site.files, 'paper.png')

before(async () => {
  site = await office('resident', [['clerk', '窗口甲', 'clerk']])
  browser = await launch()
  clerk = new Client(site.url)
  await clerk.signIn('clerk', PASSWORD)
}, { timeout: 60000 })
after(async () => {
  await kept?.close().catch(() => {})
  await browser?.close()
  await site?.end()
})

/** A picture with an alpha channel: noise, so that it is large, and a hole in the middle. */
function seeThrough(size = 800) {
  const raw = Buffer.alloc((size * 4 + 1) * size)
  const noise = randomBytes(size * size * 4)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const at = y * (size * 4 + 1) + 1 + x * 4
      noise.copy(raw, at, (y * size + x) * 4, (y * size + x) * 4 + 3)
      raw[at + 3] = x > size / 4 && x < size / 2 ? 0 : 255
    }
  const sum = b => {
    let c = 0xffffffff
    for (const x of b) {
      c ^= x
      for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    }
    const out = Buffer.alloc(4)
    out.writeUInt32BE((c ^ 0xffffffff) >>> 0)
    return out
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const len = Buffer.alloc(4)
    len.writeUInt32BE(data.length)
    return Buffer.concat([len, body, sum(body)])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(size, 0)
  head.writeUInt32BE(size, 4)
  head.set([8, 6, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from([0x89, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(raw, { level: 1 })), chunk('IEND', Buffer.alloc(0))])
}
const begin = async (p, item = 'birth-registration-first') => {
  await p.goto(site.url + '/#/item/' + item)
  await main(p).click()
  await p.locator('.tasks').waitFor()
}
const toStep = (p, step) => p.evaluate(s => { location.hash = location.hash.split('/').slice(0, 3).join('/') + '/' + s }, step)

test('an old name and first letters find the matter; the checklist says what to prepare', { timeout: 60000 }, async () => {
  const p = await page(browser)
  await p.goto(site.url + '/')
  await p.locator('#q').fill('准生证')
  await p.locator('.rowlink').first().waitFor()
  assert.match(await p.locator('.rowlink').first().textContent(), /一孩生育登记.*以前叫“准生证”/)
  await look(p, '20-search')
  await p.locator('#q').fill('zsz')
  await until('the letters', async () => (await p.locator('.rowlink').count()) === 2)
  await p.locator('#q').fill('火星')
  await p.locator('.state').waitFor()
  await look(p, '20-search-none')
  await p.goBack()
  await p.locator('.doors').waitFor()
  await go(p, '/item/birth-registration-first')
  await main(p).waitFor()
  assert.match(await p.locator('main').textContent(), /您只要准备 1 份/)
  assert.match(await p.locator('main').textContent(), /这 3 份不用交/)
  await p.locator('button', { hasText: '给家人看' }).click()
  await p.locator('dialog .qr svg').waitFor()
  await look(p, '20-share')
  await p.keyboard.press('Escape')
  assert.equal(await p.evaluate(() => document.activeElement.textContent.trim()), '给家人看', 'focus returns to the opener')
  await p.done()
})

test('faults are told beside the field, their links keep the filing, and go when they are mended', { timeout: 60000 }, async () => {
  const p = await page(browser)
  await begin(p)
  await main(p).click()
  await main(p).click()
  await p.locator('.summary').waitFor()
  assert.equal(await p.locator('.summary li').count(), 2)
  assert.ok(await p.evaluate(() => document.activeElement.classList.contains('summary')), 'the focus goes to the summary')
  const at = p.url()
  await p.locator('.summary a').nth(1).click()
  assert.equal(p.url(), at)
  assert.equal(await p.evaluate(() => document.activeElement.id), 'a-id')
  await p.keyboard.type('339900 19990704 0057')
  assert.equal(await p.locator('.summary li').count(), 1, 'what is mended goes')
  await p.locator('#a-name').fill('\u3000林小溪\u200b')
  assert.equal(await p.locator('.summary').count(), 0)
  await p.locator('.skip').focus()
  await p.keyboard.press('Enter')
  assert.equal(p.url(), at, 'the skip link stays on the page')
  await main(p).click()
  await p.locator('#a-mobile').fill('1000000000')
  await main(p).click()
  assert.match(await p.locator('.summary').textContent(), /手机号是 11 位，现在是 10 位/)
  await p.locator('#a-mobile').fill('\u202d+86 100 0000 0009\u202c')
  await main(p).click()
  await p.locator('#f-spouse_name').waitFor()
  await p.goBack()
  assert.equal(await p.locator('#a-mobile').inputValue(), '10000000009', 'Back returns the page as it was left')
  await p.goBack()
  assert.equal(await p.locator('#a-name').inputValue(), '林小溪')
  await p.goForward()
  await p.goForward()
  await p.locator('#f-spouse_name').waitFor()
  await p.done()
})

test('a reload, a kill of the browser: answers and photographs are there', { timeout: 90000 }, async () => {
  const dir = join(site.files, 'profile')
  mkdirSync(dir)
  let b = kept = await launchKept(dir, { viewport: PHONE, locale: 'zh-CN' })
  let p = await b.newPage()
  await begin(p)
  await main(p).click()
  await p.locator('#a-name').fill('苏晓禾')
  await p.reload()
  assert.equal(await p.locator('#a-name').inputValue(), '苏晓禾')
  await p.locator('#a-id').fill('339900199907040057')
  await main(p).click()
  await p.locator('#a-mobile').fill('10000000021')
  await main(p).click()
  await toStep(p, 'papers')
  await addPaper(p, '#m-id-card', paper())
  await p.waitForTimeout(1500)              // the browser itself writes to its disk now and then
  const pid = execFileSync('pgrep', ['-f', '--', `--user-data-dir=${dir}`]).toString().split('\n')[0]     // the browser that this test started
  process.kill(Number(pid), 'SIGKILL')
  await b.close().catch(() => {})
  b = kept = await launchKept(dir, { viewport: PHONE, locale: 'zh-CN' })
  p = await b.newPage()
  await p.goto(site.url + '/')
  await p.locator('section[aria-labelledby=h-mine] .rowlink').waitFor()
  assert.match(await p.locator('section[aria-labelledby=h-mine]').textContent(), /一孩生育登记.*填到第 \d 步/)
  await look(p, '20-go-on')
  await p.locator('section[aria-labelledby=h-mine] .rowlink').click()
  await p.locator('#m-id-card img.thumb').waitFor()
  await toStep(p, 'contact')
  await p.locator('#a-mobile').waitFor()
  assert.equal(await p.locator('#a-mobile').inputValue(), '10000000021')
  await b.close()
})

test('what the office cannot read is refused before a byte is sent, with what to do', { timeout: 60000 }, async () => {
  const p = await page(browser)
  const sent = []
  p.on('request', r => { if (/uploads/.test(r.url())) sent.push(r.method()) })
  await begin(p)
  await toStep(p, 'papers')
  await p.locator('#m-residence').waitFor()
  for (const [name, bytes, words] of [
    ['photo.heic', Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), randomBytes(4000)]), /HEIC.*兼容性最佳/s],
    ['photo.jpg', Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypmif1'), randomBytes(4000)]), /HEIC/],
    ['letter.docx', Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(4000)]), /Word/],
    ['empty.png', Buffer.alloc(0), /空的/],
  ]) {
    writeFileSync(join(site.files, name), bytes)
    await p.locator('#m-residence input[type=file]').setInputFiles(join(site.files, name))
    await until(name, async () => words.test(await p.locator('#m-residence').textContent()), 5000)
  }
  await look(p, '20-refused')
  assert.deepEqual(sent, [])
  await p.done()
})

test('a picture that may be seen through arrives as it was; turned, it gets white ground', { timeout: 90000 }, async () => {
  const p = await page(browser)
  const bytes = seeThrough()
  assert.ok(bytes.length > 1500000)
  writeFileSync(join(site.files, 'through.png'), bytes)
  await begin(p, 'hygiene-licence-change')
  await toStep(p, 'papers')
  await p.locator('#m-proof').waitFor()
  await addPaper(p, '#m-proof', join(site.files, 'through.png'))
  await p.locator('#m-proof input[type=file]').setInputFiles(join(site.files, 'through.png'))
  await p.locator('dialog button', { hasText: '转正' }).click()
  await look(p, '20-turned')
  await p.locator('dialog .btn.main').click()
  await until('two pictures', async () => (await p.locator('#m-proof li').count()) === 2)
  await go(p, new URL(p.url()).hash.slice(1).split('/').slice(0, 3).join('/'))
  const { no } = await (async () => {
    await answer(p, {})
    await p.locator('#promise').check()
    await main(p).click()
    await p.locator('#query-code').waitFor({ timeout: 30000 })
    return { no: (await p.locator('#case-no').textContent()).trim() }
  })()
  const docs = (await clerk.get('/cases/' + no)).materials.find(m => m.code === 'proof').documents
  assert.equal(docs[0].digest, 'sha256:' + createHash('sha256').update(bytes).digest('hex'), 'untouched')
  const seen = await clerk.raw('GET', `/api/v1/documents/${docs[1].digest}?case=${no}`)
  const turned = Buffer.from(await seen.arrayBuffer()).toString('base64')
  const pixel = await p.evaluate(async ([data, type]) => {
    const b = await createImageBitmap(await (await fetch(`data:${type};base64,${data}`)).blob())
    const c = document.createElement('canvas')
    c.width = b.width
    c.height = b.height
    c.getContext('2d').drawImage(b, 0, 0)
    return [...c.getContext('2d').getImageData(b.width >> 1, Math.floor(b.height * 0.37), 1, 1).data]
  }, [turned, docs[1].media_type])
  assert.deepEqual(pixel, [255, 255, 255, 255], 'white where one could see through')
  await p.done()
})

test('a photograph chosen again goes on at the byte where it stopped', { timeout: 90000 }, async () => {
  const p = await page(browser)
  writeFileSync(join(site.files, 'large.jpg'), jpeg(1400000))      // small enough to go as it is
  let offsets = []
  let cut = true
  await p.route('**/api/v1/uploads/*', async r => {
    if (r.request().method() === 'PATCH') {
      const at = Number(r.request().headers()['upload-offset'])
      if (cut && at >= 512 * 1024) return r.abort()
      offsets.push(at)
    }
    return r.continue()
  })
  await begin(p, 'hygiene-licence-change')
  await toStep(p, 'papers')
  await p.locator('#m-proof').waitFor()
  await addPaper(p, '#m-proof', join(site.files, 'large.jpg'))
  await until('half of it', () => offsets.length >= 2)
  const at = p.url()
  await p.goto('about:blank')
  cut = false
  offsets = []
  await p.goto(at)
  await p.locator('#m-proof img.thumb').waitFor()
  await p.locator('#m-proof input[type=file]').setInputFiles(join(site.files, 'large.jpg'))
  await p.locator('dialog .btn.main').click()
  await until('all of it', async () => /已传/.test(await p.locator('#m-proof .chip').textContent()))
  assert.ok(offsets[0] >= 512 * 1024, `went on at ${offsets[0]}`)
  assert.equal(await p.locator('#m-proof li').count(), 1, 'the same file is one paper')
  await p.done()
})

test('the line breaks in the middle of 提交: one case, its number is had again', { timeout: 90000 }, async () => {
  const p = await page(browser)
  let posts = 0
  let mode = 'lose'
  await p.route('**/api/v1/cases', async r => {
    posts++
    if (mode === 'cut') return r.abort()
    if (mode === 'lose') {                 // the office does it, its answer never comes
      mode = 'cut'
      await r.fetch()
      return r.abort()
    }
    return r.continue()
  })
  await p.goto(site.url + '/#/item/elderly-card')
  await main(p).click()
  await p.locator('.tasks').waitFor()
  await answer(p, { person: { 'a-name': '何阿珠', 'a-mobile': '10000000031' } })
  await p.locator('#promise').check()
  await main(p).dblclick()
  await p.locator('h1', { hasText: '网断了' }).waitFor()
  assert.match(await p.locator('main').textContent(), /连上后自动发送，不会重复/)
  await look(p, '20-offline')
  assert.equal(await p.locator('button', { hasText: '取回' }).count(), 0, 'what may have arrived is not taken back')
  await p.goto(site.url + '/#/')
  await p.reload()
  await p.locator('section[aria-labelledby=h-mine] .rowlink').waitFor()
  assert.match(await p.locator('section[aria-labelledby=h-mine]').textContent(), /网断了，连上后自动发送/)
  mode = ''
  await until('the case, by itself', async () => /收到了/.test(await p.locator('section[aria-labelledby=h-mine]').textContent()), 20000)
  await p.locator('section[aria-labelledby=h-mine] .rowlink').click()
  await p.locator('.trail').waitFor()
  await p.locator('a', { hasText: '看回执' }).click()
  await p.locator('#query-code').waitFor()
  const no = (await p.locator('#case-no').textContent()).trim()
  assert.ok(posts >= 2)
  const same = (await clerk.get('/cases?item=elderly-card')).cases.filter(c => c.applicant_name === '何阿珠')
  assert.deepEqual(same.map(c => c.case_no), [no], 'one case')
  await p.reload()
  await p.locator('#query-code').waitFor()
  const [picture] = await Promise.all([p.waitForEvent('download'), p.locator('button', { hasText: '存成图片' }).click()])
  assert.match(picture.suggestedFilename(), /\.png$/)
  await p.done()
})

test('what the office refuses comes back to its field with a new key', { timeout: 60000 }, async () => {
  const p = await page(browser)
  const keys = []
  await p.route('**/api/v1/cases', async r => {
    keys.push(r.request().headers()['idempotency-key'])
    if (keys.length > 1) return r.continue()
    return r.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify({ code: 'mobile-invalid', status: 422, title: '', field: 'applicant.mobile', detail: '手机号码应为11位数字，以1开头' }) })
  })
  await p.goto(site.url + '/#/item/elderly-card')
  await main(p).click()
  await p.locator('.tasks').waitFor()
  await answer(p, { person: { 'a-name': '钱小满', 'a-mobile': '10000000051' } })
  await p.locator('#promise').check()
  await main(p).click()
  await p.locator('#a-mobile').waitFor()
  assert.match(await p.locator('.summary').textContent(), /以1开头/)
  await p.locator('#a-mobile').fill('10000000052')
  await main(p).click()
  await p.locator('#promise').waitFor()
  await main(p).click()
  await p.locator('#query-code').waitFor({ timeout: 20000 })
  assert.notEqual(keys[0], keys[1])
  await p.done()
})

test('followed to the end: the code goes after the hand-over, the rating comes after it; withdrawn when not wanted', { timeout: 90000 }, async () => {
  const p = await page(browser)
  await p.goto(site.url + '/')
  const one = await file(p, 'elderly-card', { method: 'agent', person: { 'a-name': '潘福根', 'a-mobile': '10000000031', 'a-id': '339900198506130110' } })
  await look(p, '20-receipt')
  await go(p, '/track')
  await p.locator('#t-no').fill(`${one.no} ${one.code}`)
  await p.locator('#t-no').press('Tab')
  assert.equal(await p.locator('#t-code').inputValue(), one.code, 'number and code may be pasted together')
  await main(p).click()
  await p.locator('.trail').waitFor()
  await clerk.post(`/cases/${one.no}/actions`, { action: 'complete' })
  await p.reload()
  await p.locator('#pickup-code').waitFor()
  await look(p, '20-on-its-way')
  const code = (await p.locator('#pickup-code').textContent()).replace(/\D/g, '')
  assert.equal(await p.locator('.stars').count(), 0, 'no rating before it is in hand')
  const id = (await clerk.get('/cases/' + one.no)).delivery.id
  for (const body of [{ action: 'assign', to: 'clerk' }, { action: 'pick_up' }, { action: 'hand_over', code }]) await clerk.post(`/deliveries/${id}/actions`, body)
  await p.reload()
  await p.locator('.stars').waitFor()
  assert.equal(await p.locator('#pickup-code').count(), 0, 'the code is gone with the hand-over')
  const pdf = await p.locator('a', { hasText: 'PDF' }).getAttribute('href')
  assert.equal((await fetch(site.url + pdf)).headers.get('content-type'), 'application/pdf')
  await p.locator('.stars label').first().click()
  await look(p, '20-rating')
  await p.locator('section[aria-labelledby=c-rate] .btn.main').dblclick()
  await p.locator('.note[data-tone=ok]').waitFor()
  assert.equal((await clerk.get('/cases/' + one.no)).rating, 5)

  const two = await file(p, 'elderly-card', { person: { 'a-name': '罗敏', 'a-id': '339900198506130284' } })
  await go(p, `/c/${two.no}/${two.code}`)
  await p.locator('button', { hasText: '不办了' }).click()
  await p.locator('#w-why').fill('搬走了')
  await look(p, '20-withdraw')
  await p.locator('dialog .btn.bad').click()
  await p.locator('h1', { hasText: '您已撤回' }).waitFor()
  await p.done()
})

test('the whole filing by keyboard alone', { timeout: 120000 }, async () => {
  const p = await page(browser)
  const to = async fits => {
    for (let i = 0; i < 80; i++) {
      if (await p.evaluate(f => !!document.activeElement?.matches(f), fits)) return
      await p.keyboard.press('Tab')
    }
    assert.fail(`Tab never comes to ${fits} at ${p.url()}`)
  }
  const press = async (fits, key = 'Enter') => { await to(fits); await p.keyboard.press(key) }
  const type = async (fits, text) => { await to(fits); await p.keyboard.type(text) }
  await p.goto(site.url + '/')
  await p.locator('.doors a').first().waitFor()
  await type('#q', '优待证')
  await p.locator('.rowlink').first().waitFor()
  await press('a.rowlink')
  await main(p).waitFor()
  await press('.sill .main')
  await p.locator('.tasks').waitFor()
  await press('.sill .main')
  await type('#a-name', '方晨')
  await type('#a-id', '339900199907040057')
  await p.keyboard.press('Enter')
  await p.locator('#a-mobile').waitFor()
  await type('#a-mobile', '10000000009')
  await p.keyboard.press('Enter')
  await p.locator('#f-family_mobile').waitFor()
  await press('#f-family_mobile')
  await p.locator('#m-photo').waitFor()
  await press('#m-photo .pick input', 'Space')
  await press('.sill .main')
  await p.locator('#d-method').waitFor()
  await to('#d-method input')
  await p.keyboard.press('ArrowDown')
  await p.keyboard.press('ArrowDown')
  await press('.sill .main')
  await p.locator('#promise').waitFor()
  await press('#promise', 'Space')
  await press('.sill .main')
  await p.locator('#query-code').waitFor({ timeout: 20000 })
  await p.done()
})
