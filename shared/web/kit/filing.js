// The state of one filing and the rules that the page checks before it asks the server; shared by the
// residents' pages and by the desk.
import { reactive } from 'vue'
import { fault, clean } from '../lib/idcard.js'
import { t, named } from '../lib/i18n.js'

export function newFiling(item) {
  return reactive({
    applicant: { name: '', id_type: '111', id_number: '', mobile: '', address: '' },
    community: '',
    form: Object.fromEntries((item.form || []).map(f => [f.name, ''])),
    materials: (item.materials || []).map(m => ({ code: m.code, documents: [], later: false, commitment: false })),
    delivery: { method: (item.delivery || ['pickup'])[0], address: '' },
  })
}

/** {field id: sentence} for what is wrong in one step: 'who' | 'form' | 'papers' | 'delivery'. */
export function check(item, f, step) {
  const wrong = {}
  if (step === 'who') {
    if (!f.applicant.name.trim()) wrong['a-name'] = t('e.name')
    const bad = fault(f.applicant.id_number)
    if (bad) wrong['a-id'] = t(bad)
    if (!/^1\d{10}$/.test(f.applicant.mobile.trim())) wrong['a-mobile'] = t('e.mobile')
  }
  if (step === 'form')
    for (const d of item.form || []) {
      const v = String(f.form[d.name] ?? '').trim()
      if (!v && d.required) wrong['f-' + d.name] = t('e.needed', { what: named(d, 'label') })
      else if (v && d.type === 'citizen_number' && fault(v)) wrong['f-' + d.name] = t(fault(v))
      else if (v && d.type === 'mobile' && !/^1\d{10}$/.test(v)) wrong['f-' + d.name] = t('e.mobile')
    }
  if (step === 'papers')
    item.materials.forEach((m, i) => {
      const given = f.materials[i]
      if (m.necessity === 'required' && m.obtain_by !== 'shared_data' && !given.documents.length && !given.commitment)
        wrong['m-' + m.code] = t('e.paper', { what: named(m) })
    })
  if (step === 'delivery' && f.delivery.method !== 'pickup' && !f.delivery.address.trim())
    wrong['d-address'] = t('e.address')
  return wrong
}

/** The body of POST /cases. */
export function body(item, f) {
  const form = {}
  for (const d of item.form || []) {
    const v = String(f.form[d.name] ?? '').trim()
    if (v) form[d.name] = d.type === 'citizen_number' ? clean(v) : d.type === 'number' ? Number(v) : v
  }
  const materials = []
  f.materials.forEach(m => {
    if (m.documents.length) materials.push({ code: m.code, documents: m.documents.map(d => d.digest) })
    else if (m.later) materials.push({ code: m.code, later: true })
    else if (m.commitment) materials.push({ code: m.code, commitment: true })
  })
  const a = { ...f.applicant, id_number: clean(f.applicant.id_number), name: f.applicant.name.trim(), mobile: f.applicant.mobile.trim() }
  if (!a.address) delete a.address
  const delivery = { method: f.delivery.method }
  if (f.delivery.method !== 'pickup')
    Object.assign(delivery, { recipient: a.name, mobile: a.mobile, address: f.delivery.address.trim() })
  return { item: item.code, applicant: a, ...(f.community ? { community: f.community } : {}), form, materials, delivery, submit: true }
}
