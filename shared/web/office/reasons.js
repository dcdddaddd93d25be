// What can be wrong with a paper, and the sentence that the resident reads: what is wrong, what to do.
// A closed list; words may be added to a sentence, never stand alone.
import { t } from '../lib/i18n.js'

const ALL = ['blur', 'side', 'page', 'expired', 'person', 'sign', 'differs', 'kind', 'missing']

export const reasonsFor = paper => (paper.documents.length ? ALL.filter(r => r !== 'missing') : ['missing'])
export const sentence = (reason, name) => t('reason.' + reason + '.say', { what: name })

/** The letter as the resident reads it. */
export function letter(wrong, phone) {
  const head = t('notice.head', { n: wrong.length })
  const lines = wrong.map((w, i) => `${i + 1}. ${w.name}：${w.text}`)
  return [head, ...lines, phone ? t('notice.foot', { phone }) : ''].filter(Boolean).join('\n')
}
