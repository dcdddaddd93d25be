// The questions of one filing, in their order, and what is asked of each answer before it is sent. The
// office checks again; here the person is told at once and beside the field.
import { fault as idFault, clean as idClean } from '../lib/idcard.js'
import * as clean from '../lib/clean.js'
import { t, named } from '../lib/i18n.js'

const TEXT_MAX = 200

/** Fields that belong together are asked on one screen: neighbours with the same first word (spouse_name, spouse_id_number). */
export function groups(form) {
  const out = []
  for (const f of form || []) {
    const stem = f.name.split('_')[0]
    const last = out.at(-1)
    if (last && last.stem === stem && f.name.includes('_') && f.type !== 'choice' && last.fields.every(x => x.type !== 'choice')) last.fields.push(f)
    else out.push({ stem, fields: [f] })
  }
  return out.map(g => g.fields)
}

/** [{id, task, fields} | {id, task, kind}]; task is the line of the task list that a step belongs to. */
export function stepsOf(item, communities) {
  const steps = [
    { id: 'who', task: 'who', fields: ['a-name', 'a-id'] },
    { id: 'contact', task: 'contact', fields: communities.length ? ['a-mobile', 'a-community'] : ['a-mobile'] },
  ]
  for (const g of groups(item.form)) steps.push({ id: 'q-' + g[0].name, task: 'details', fields: g.map(f => 'f-' + f.name), form: g })
  if (item.materials?.length) steps.push({ id: 'papers', task: 'papers', fields: item.materials.map(m => 'm-' + m.code) })
  steps.push({ id: 'delivery', task: 'delivery', fields: ['d-method', 'd-address'] })
  return steps
}

/** Our own fields, by id. */
export function ownField(id, { communities = [], office = false } = {}) {
  return {
    'a-name': { label: t('who.name'), hint: office ? '' : t('who.name.hint'), type: 'text', required: true, max: 60, autocomplete: office ? 'off' : 'name' },
    'a-id': { label: t('who.id'), hint: t('who.id.hint'), type: 'citizen_number', required: true, autocapitalize: 'characters' },
    'a-mobile': { label: t('who.mobile'), hint: t('who.mobile.hint'), type: 'mobile', required: true, autocomplete: office ? 'off' : 'tel' },
    'a-community': { label: t('who.community'), type: 'select', required: true, choices: [{ value: '', label: t('who.community.none') }, ...communities.map(s => ({ value: s.site, label: s.name }))] },
  }[id]
}

function checkText(field, v) {
  const max = field.max || TEXT_MAX
  const n = clean.length(v)
  return n > max ? t('e.long', { what: named(field, 'label'), n, max }) : ''
}

function checkMobile(v) {
  const f = clean.mobileFault(v)
  return f ? t(f.key, { n: f.n }) : ''
}

function checkField(f, raw) {
  const v = clean.text(raw)
  if (!v) return f.required ? t(f.type === 'choice' ? 'e.choose' : 'e.needed', { what: named(f, 'label') }) : ''
  if (f.type === 'citizen_number') return idFault(v) ? t(idFault(v), { n: idClean(v).length }) : ''
  if (f.type === 'mobile') return checkMobile(v)
  if (f.type === 'number') return /^\d+$/.test(clean.digits(v)) ? '' : t('e.number', { what: named(f, 'label') })
  if (f.type === 'date') return /^\d{4}-\d\d-\d\d$/.test(v) ? '' : t('e.date', { what: named(f, 'label') })
  return checkText(f, v)
}

/** {field id: sentence} for what is wrong in one step now. `papers`: rows of the draft. */
export function check(item, data, step, papers) {
  const wrong = {}
  const put = (id, sentence) => { if (sentence) wrong[id] = sentence }
  if (step.id === 'who') {
    put('a-name', !clean.name(data.applicant.name) ? t('e.name') : checkText({ label: t('who.name'), max: 60 }, data.applicant.name))
    const bad = idFault(data.applicant.id_number)
    put('a-id', bad && t(bad, { n: idClean(data.applicant.id_number).length }))
  } else if (step.id === 'contact') put('a-mobile', checkMobile(data.applicant.mobile))
  else if (step.form) for (const f of step.form) put('f-' + f.name, checkField(f, data.form[f.name]))
  else if (step.id === 'papers')
    for (const m of item.materials) {
      const given = data.materials[m.code] || {}
      const rows = papers.filter(p => p.material === m.code)
      if (m.necessity === 'required' && m.obtain_by !== 'shared_data' && !rows.length && !given.commitment) put('m-' + m.code, t('e.paper', { what: named(m) }))
      else if (rows.some(p => p.state === 'refused')) put('m-' + m.code, t('e.paper.refused', { what: named(m) }))
    }
  else if (step.id === 'delivery' && data.delivery.method !== 'pickup')
    put('d-address', !clean.text(data.delivery.address) ? t('e.address') : checkText({ label: t('delivery.address'), max: 200 }, data.delivery.address))
  return wrong
}

/** Texts made what was meant, when a step is left. */
export function tidy(item, data, step) {
  if (step.id === 'who') {
    data.applicant.name = clean.name(data.applicant.name)
    data.applicant.id_number = idClean(data.applicant.id_number)
  } else if (step.id === 'contact') data.applicant.mobile = clean.mobile(data.applicant.mobile)
  else if (step.form)
    for (const f of step.form) {
      const v = data.form[f.name]
      data.form[f.name] = f.type === 'citizen_number' ? idClean(v) : f.type === 'mobile' ? clean.mobile(v) : f.type === 'number' ? clean.digits(v)
        : f.type === 'textarea' ? String(v ?? '').trim() : f.type === 'text' ? (/name/.test(f.name) ? clean.name(v) : clean.text(v)) : v
    }
  else if (step.id === 'delivery') data.delivery.address = clean.text(data.delivery.address)
}

/** The body of POST /cases. Papers stand as {"paper": id} until they have their digest. */
export function body(item, data, papers) {
  const form = {}
  for (const f of item.form || []) {
    const v = String(data.form[f.name] ?? '').trim()
    if (v) form[f.name] = f.type === 'number' ? Number(clean.digits(v)) : v
  }
  const materials = []
  for (const m of item.materials || []) {
    const rows = papers.filter(p => p.material === m.code)
    const given = data.materials[m.code] || {}
    if (rows.length) materials.push({ code: m.code, documents: rows.map(p => ({ paper: p.id })) })
    else if (given.later) materials.push({ code: m.code, later: true })
    else if (given.commitment) materials.push({ code: m.code, commitment: true })
  }
  const a = data.applicant
  const delivery = { method: data.delivery.method }
  if (delivery.method !== 'pickup') Object.assign(delivery, { recipient: a.name, mobile: a.mobile, address: data.delivery.address })
  return {
    item: item.code, applicant: { name: a.name, id_type: '111', id_number: a.id_number, mobile: a.mobile },
    ...(data.community ? { community: data.community } : {}), form, materials, delivery, submit: true,
  }
}

/** Where the office's `field` stands on our pages: {id, step}. */
export function placeOf(field, item, sent, steps) {
  const own = { 'applicant.name': 'a-name', 'applicant.id_number': 'a-id', 'applicant.mobile': 'a-mobile', community: 'a-community', 'delivery.address': 'd-address', 'delivery.method': 'd-method' }
  const at = /^materials\[(\d+)\]/.exec(field || '')
  const id = own[field] || (field?.startsWith('form.') ? 'f-' + field.slice(5) : at ? 'm-' + sent.materials?.[+at[1]]?.code : '')
  const step = steps.find(s => s.fields.includes(id))
  return step ? { id, step: step.id } : null
}

/** An answer as people read it. */
export function answer(f, v) {
  if (f.type === 'choice') return named(f.choices?.find(c => c.value === v), 'label') || t('answer.none')
  return v || t('answer.none')
}
