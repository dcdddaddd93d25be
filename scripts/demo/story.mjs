// The main job, played through the public interfaces of four real sites. Every step says what held;
// a step that does not hold throws. Used by `make demo` and asserted by tests/e2e.
import assert from 'node:assert/strict'
import { Client, Refused } from './client.mjs'
import { NODE, HUB, PASSWORD, SITES, run, until } from './world.mjs'
import { jpeg, png, pdf } from './samples.mjs'

const people = {
  first: { name: '林小溪', id_type: '111', id_number: '339900199907040057', mobile: '10000000001' },
  second: { name: '周大海', id_type: '111', id_number: '339900198506130110', mobile: '10000000002' },
  third: { name: '陈晓月', id_type: '111', id_number: '339900198506130284', mobile: '10000000003' },
}

/** Values for the fields of an item's form, as its catalogue entry asks for them. */
export function fill(item, applicant) {
  const form = {}
  for (const f of item.form || []) {
    if (f.type === 'choice') form[f.name] = f.choices[0].value
    else if (f.type === 'date') form[f.name] = '2026-05-20'
    else if (f.type === 'citizen_number') form[f.name] = applicant.id_number
    else if (f.type === 'mobile') form[f.name] = applicant.mobile
    else if (f.type === 'number') form[f.name] = 1
    else form[f.name] = '葭沚街道示例路1号'.slice(0, f.max || 200)
  }
  return form
}

/** The materials of an item: `digests` handed in for those that the applicant brings. */
export function materials(item, digests) {
  const out = []
  const left = [...digests]
  for (const m of item.materials) {
    if (left.length) out.push({ code: m.code, documents: [left.shift()] })
    else if (m.obtain_by === 'commitment') out.push({ code: m.code, commitment: true })
    else if (m.necessity === 'deferrable') out.push({ code: m.code, later: true })
    else if (m.obtain_by !== 'shared_data' && m.necessity === 'required') out.push({ code: m.code, documents: [digests[0]] })
  }
  return out
}

export const filing = (item, applicant, digests, method) => ({
  item: item.code, applicant, form: fill(item, applicant), materials: materials(item, digests),
  delivery: { method, recipient: applicant.name, mobile: applicant.mobile, address: '葭沚街道示例路1号2幢301室' },
  submit: true,
})

export async function play(w, step) {
  const facts = {}
  const signed = async (site, username) => {
    const c = new Client(site.url)
    await c.signIn(username, PASSWORD)
    return c
  }
  let birth, licence

  await step('1 the catalogue reaches every site by replication', async () => {
    const there = await w.district.api.get('/items')
    assert.ok(there.items.length >= 12, `${there.items.length} items`)
    for (const s of [w.street, w.east, w.west])
      await until(`the catalogue at ${s.name}`, async () => (await s.api.get('/items')).items.length === there.items.length)
    birth = await w.east.api.get('/items/birth-registration-first')
    for (const i of there.items) {
      const whole = await w.street.api.get('/items/' + i.code)
      if (!licence && whole.decided_at.includes('street') && !whole.decided_at.includes('community') && whole.delivery.includes('courier')) licence = whole
    }
    assert.ok(birth.decided_at.includes('community'))
    assert.ok(licence, 'an item that only the street decides')
    return `${there.items.length} items`
  })

  await step('2 an invitation works once; a wrong one is refused', async () => {
    for (const [what, code] of [['used', w.east.invitation], ['wrong', w.east.invitation.replace(/\.(....)/, '.ZZZZ')]])
      assert.throws(() => run(NODE, ['init', '--data', `${w.dir}/refused-${what}`, '--parent', `https://127.0.0.1:${w.street.syncPort}`, '--invitation', code]),
        e => /invitation|邀请/i.test(e.message), `a ${what} invitation`)
    return 'a used and a wrong invitation were refused'
  })

  await step('3 a resident reads the guide, uploads three papers, files', async () => {
    const guide = await w.street.api.get('/items/birth-registration-first')
    const me = new Client(w.street.url)
    const photo = jpeg()
    const path = await me.tusCreate(photo.length, 'image/jpeg', 'id-card.jpg')
    await me.tusPatch(path, 0, photo.subarray(0, 900000))
    const killed = me.tusPatch(path, 900000, photo.subarray(900000)).catch(() => {})   // broken off half-way ...
    await w.street.crash()                                                         // ... by a crash of the hub
    await killed
    facts.resumed_at = (await me.tusHead(path)).offset
    assert.ok(facts.resumed_at >= 900000, `offset ${facts.resumed_at} after the crash`)
    const digests = [
      await me.upload(photo, 'image/jpeg', 'id-card.jpg', { path }),
      await me.upload(png(), 'image/png', 'household.png'),
      await me.upload(pdf('Marriage certificate (sample)'), 'application/pdf', 'marriage.pdf'),
    ]
    facts.first = await me.postSure('/cases', { ...filing(guide, people.first, digests, 'agent'), community: SITES.east.site })
    assert.match(facts.first.case_no, /^\d{21}$/)
    assert.match(facts.first.query_code, /^[0-9A-Z]{6}$/)
    return `case ${facts.first.case_no}; the photograph went on at byte ${facts.resumed_at}`
  })

  await step('4 her community receives case and papers and completes it in one pass', async () => {
    const agent = await until('the account at the node', () => signed(w.east, 'agent.east'))
    const no = facts.first.case_no
    await until('the case at the node', async () => (await agent.get('/cases/' + no)).custodian === SITES.east.site)
    await w.east.crash()                                                           // in the middle of receiving papers
    const whole = await until('its papers at the node', async () => {
      const c = await agent.get('/cases/' + no)
      const docs = c.materials.flatMap(m => m.documents)
      return docs.length >= 3 && docs.every(d => d.state === 'here') && c.actions.includes('complete') && c
    })
    for (const d of whole.materials.flatMap(m => m.documents)) {
      const res = await agent.raw('GET', `/api/v1/documents/${d.digest}?case=${no}`)
      assert.equal(res.status, 200)
      assert.equal((await res.arrayBuffer()).byteLength, d.size)
    }
    const t = performance.now()
    await agent.postSure(`/cases/${no}/actions`, { action: 'complete' })
    facts.pass_ms = performance.now() - t
    const c = await agent.get('/cases/' + no)
    assert.ok(c.certificate.number, 'a certificate number')
    facts.first.certificate = c.certificate.number
    return `certificate ${c.certificate.number} from the block of the node, one pass in ${facts.pass_ms.toFixed(1)} ms`
  })

  await step('5 the other node is cut off, works on, and settles when the link returns', async () => {
    let agent = await until('the account at the node', () => signed(w.west, 'agent.west'))
    await until('its number blocks', async () => (await agent.get('/status')).blocks?.length)
    w.links.west.down()
    await until('the node to notice', async () => (await agent.get('/status')).link.state !== 'up')
    const papers = [await agent.upload(jpeg(400000), 'image/jpeg', 'paper-1.jpg'), await agent.upload(png(), 'image/png', 'paper-2.png')]
    facts.second = await agent.postSure('/cases', filing(birth, people.second, papers, 'agent'))
    await agent.postSure(`/cases/${facts.second.case_no}/actions`, { action: 'complete' })
    const done = await agent.get('/cases/' + facts.second.case_no)
    assert.ok(['completed', 'granted'].includes(done.state), done.state)
    facts.second.certificate = done.certificate.number
    const street = await w.west.api.get('/items/' + licence.code)
    facts.third = await agent.postSure('/cases', filing(street, people.third, papers, 'courier'))
    await assert.rejects(agent.post(`/cases/${facts.third.case_no}/actions`, { action: 'complete' }), e => e instanceof Refused && [403, 409].includes(e.status))
    await w.west.crash()                                                           // offline, with unsent work
    agent = await signed(w.west, 'agent.west')
    const unsent = (await agent.get('/status')).link.unsent_events
    assert.ok(unsent > 0, 'unsent work is shown')
    w.links.west.up()
    await w.street.crash()                                                         // and the hub falls over while it arrives
    const clerk = await until('the clerk', () => signed(w.street, 'clerk'))
    await until('both cases at the street', async () =>
      (await clerk.get('/cases/' + facts.second.case_no)).state && (await clerk.get('/cases/' + facts.third.case_no)).custodian === SITES.street.site)
    const list = (await clerk.get('/cases')).cases.map(c => c.case_no)
    assert.equal(new Set(list).size, list.length, 'nothing twice')
    await until('everything sent', async () => {
      const l = (await agent.get('/status')).link
      return l.unsent_events === 0 && l.unsent_documents === 0
    })
    return `certificate ${facts.second.certificate} issued offline, ${unsent} events waited, all arrived once`
  })

  await step('6 the clerk completes the second case in one call', async () => {
    const clerk = await signed(w.street, 'clerk')
    const c = await clerk.get('/cases/' + facts.third.case_no)
    assert.ok(c.actions.includes('complete'), c.actions.join())
    await clerk.postSure(`/cases/${c.case_no}/actions`, { action: 'complete' })
    await w.district.crash()
    const done = await clerk.get('/cases/' + c.case_no)
    facts.third.certificate = done.certificate.number
    assert.ok(done.delivery.waybill, 'a waybill')
    facts.third.delivery = done.delivery
    return `certificate ${done.certificate.number}, waybill ${done.delivery.waybill}`
  })

  await step('7 the certificate is a PDF whose code can be verified', async () => {
    const clerk = await signed(w.street, 'clerk')
    const res = await clerk.raw('GET', `/api/v1/certificates/${facts.third.certificate}.pdf`)
    const bytes = Buffer.from(await res.arrayBuffer())
    assert.equal(res.status, 200, bytes.toString('utf8').slice(0, 200))
    assert.equal(bytes.subarray(0, 5).toString(), '%PDF-')
    facts.pdf = bytes
    for (const number of [facts.first.certificate, facts.third.certificate]) {
      const { token } = await until('the certificate at the street', () => clerk.get('/certificates/' + number))
      const good = await w.street.api.get('/verify?token=' + encodeURIComponent(token))
      assert.equal(good.valid, true)
      const i = token.indexOf('.') + 6
      const forged = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1)
      const bad = await w.street.api.get('/verify?token=' + encodeURIComponent(forged)).catch(e => e.body)
      assert.notEqual(bad.valid, true, 'a changed token')
    }
    return `${(bytes.length / 1024).toFixed(0)} KiB of PDF; a changed token is refused`
  })

  await step('8 one result goes with the agent, one by courier', async () => {
    const agent = await signed(w.east, 'agent.east')
    const track = await w.street.api.get(`/track/${facts.first.case_no}?code=${facts.first.query_code}`)
    const code = (await until('the pick-up code', async () =>
      (await w.street.api.get(`/track/${facts.first.case_no}?code=${facts.first.query_code}`)).delivery)).pickup_code
    assert.match(code, /^\d{6}$/, JSON.stringify(track.delivery))
    const mine = (await agent.get('/cases/' + facts.first.case_no)).delivery
    for (const action of ['assign', 'pick_up'])
      if ((await agent.get('/cases/' + facts.first.case_no)).delivery.actions.includes(action))
        await agent.postSure(`/deliveries/${mine.id}/actions`, { action })
    await assert.rejects(agent.post(`/deliveries/${mine.id}/actions`, { action: 'hand_over', code: code === '000000' ? '000001' : '000000' }), Refused)
    await agent.postSure(`/deliveries/${mine.id}/actions`, { action: 'hand_over', code })

    const dispatcher = await signed(w.street, 'dispatcher')
    const label = await dispatcher.raw('GET', `/api/v1/deliveries/${facts.third.delivery.id}/label.pdf`)
    assert.equal(label.status, 200)
    facts.label = Buffer.from(await label.arrayBuffer())
    assert.equal(facts.label.subarray(0, 5).toString(), '%PDF-')
    await dispatcher.postSure(`/deliveries/${facts.third.delivery.id}/actions`, { action: 'assign', to: 'courier' })
    const courier = await signed(w.street, 'courier')
    await courier.postSure(`/deliveries/${facts.third.delivery.id}/actions`, { action: 'pick_up' })
    await courier.postSure(`/deliveries/${facts.third.delivery.id}/actions`, { action: 'in_transit' })
    const third = await until('her page', () => w.street.api.get(`/track/${facts.third.case_no}?code=${facts.third.query_code}`))
    await courier.postSure(`/deliveries/${facts.third.delivery.id}/actions`, { action: 'hand_over', code: third.delivery.pickup_code, signer: '本人' })
    for (const f of [facts.first, facts.third])
      await until('the delivery on the resident\'s page', async () =>
        (await w.street.api.get(`/track/${f.case_no}?code=${f.query_code}`)).delivery.state === 'handed_over')
    return 'handed over with the recipient\'s code; courier steps recorded'
  })

  await step('9 the district\'s statistics show it', async () => {
    const boss = await until('the supervisor', () => signed(w.district, 'supervisor'))
    const s = await until('three completed cases', async () => {
      const x = await boss.get('/statistics?by=item')
      return x.total.completed >= 3 && x
    })
    assert.ok(s.total.trips_saved > 0, 'trips saved')
    assert.ok(s.total.handling_s_mean >= 0, 'handling time')
    facts.statistics = s.total
    return `${s.total.completed} completed, mean handling ${s.total.handling_s_mean} s, ${s.total.trips_saved} trips saved`
  })

  await step('10 every ledger holds, and the hubs hold every event of the nodes', async () => {
    await until('the links to be empty', async () => {
      for (const s of [w.east, w.west, w.street]) {
        const l = s.status().link
        if (l.unsent_events || l.unsent_documents) return false
      }
      return true
    })
    const heads = site => Object.fromEntries((site.status().origins || []).map(o => [o.origin, o.seq]))
    let east, west
    for (const hub of [w.street, w.district])
      await until(`the events of both nodes at ${hub.name}`, () => {
        const held = heads(hub)
        east = heads(w.east)[SITES.east.site]
        west = heads(w.west)[SITES.west.site]
        return east > 0 && west > 0 && held[SITES.east.site] === east && held[SITES.west.site] === west
      })
    facts.kills = Object.fromEntries(w.all.map(s => [s.name, s.kills]))
    assert.ok(w.all.every(s => s.kills >= 1), JSON.stringify(facts.kills))
    await w.stop()
    for (const s of w.all) run(s.program, ['verify', '--data', s.dir])
    for (const s of w.all) if (s.program === HUB) await s.start()
    for (const [n, s] of [['east', w.east], ['west', w.west]]) {
      w.links[n] = await new (w.links[n].constructor)().open(() => w.street.syncPort, w.links[n].port)
      await s.start()
    }
    return `events: ${SITES.east.name} ${east}, ${SITES.west.name} ${west}; killed ${JSON.stringify(facts.kills)}`
  })
  return facts
}
