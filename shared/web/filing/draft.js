// The draft that a page works on: opened once, shared by its steps, closed when another is opened.
import { computed, ref, watch } from 'vue'
import * as drafts from '../lib/drafts.js'
import { papersFor, closePapers } from '../lib/papers.js'
import { outbox, add, send } from '../lib/outbox.js'
import { filer } from './filer.js'
import { body, check, stepsOf } from './steps.js'

let current = null

export async function useDraft(id) {
  if (current?.row.id !== id) {
    await current?.close()
    current = await drafts.open(id)
    if (current) current.papers = papersFor(id, filer.owner)
  }
  return current
}

export async function closeDraft() {
  await current?.close()
  current = null
}

export async function discardDraft(id) {
  if (current?.row.id === id) { current.close(); current = null }
  closePapers(id)
  await drafts.discard(id)
}

/** What a page of one draft needs: {d, item, steps, wrongOf(step), ready}. */
export function useFiling(id) {
  const d = ref(null)
  const state = ref('loading')
  const item = computed(() => d.value?.row.def)
  const steps = computed(() => (item.value ? stepsOf(item.value, filer.communities) : []))
  const wrongOf = step => check(item.value, d.value.data, step, d.value.papers.rows)
  const complete = step => d.value.data.seen.includes(step.id) && !Object.keys(wrongOf(step)).length
  watch(() => id(), async v => {
    if (!v) return
    const found = await useDraft(v)
    d.value = found
    state.value = found ? 'here' : 'gone'
  }, { immediate: true })
  return { d, item, steps, state, wrongOf, complete }
}

/** Put the draft into the outbox: once, whatever is pressed how often. Resolves to the id of its piece. */
export async function hand(d, item) {
  const id = 'd-' + d.row.id
  if (!outbox.rows.some(r => r.id === id)) {
    d.row.state = 'sent'
    await d.save()
    await add({
      id, kind: 'case', title: item.name, path: '/cases', key: d.row.key, draft: d.row.id,
      body: body(item, d.data, d.papers.rows), papers: d.papers.rows.map(p => p.id),
      meta: { item: item.code, item_name: item.name, item_name_en: item.name_en || '', name: d.data.applicant.name, papers: d.papers.rows.length, method: d.data.delivery.method },
    })
  }
  send(id)
  return id
}

