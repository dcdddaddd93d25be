// What a filing got back is kept on this phone: number and code are told once by the office.
import { drop, list, put } from '../lib/store.js'
import { onAnswer } from '../lib/outbox.js'
import { filer } from './filer.js'

export const receipts = async () => (await list('receipts', r => r.owner === filer.owner)).sort((a, b) => b.at - a.at)
export const receiptOf = async no => (await list('receipts', r => r.owner === filer.owner && r.id === no))[0]
export const receiptOfDraft = async draft => (await list('receipts', r => r.owner === filer.owner && r.draft === draft))[0]
export const keepReceipt = r => put('receipts', JSON.parse(JSON.stringify({ ...r, id: r.case_no, owner: filer.owner })))
export const dropReceipt = no => drop('receipts', no)

/** Answers to filings become receipts; the draft is done with. */
export function watchFilings() {
  return onAnswer(async ({ row, answer }) => {
    if (row.kind !== 'case' || !answer) return
    await keepReceipt({
      case_no: answer.case_no, code: answer.query_code, at: Date.now(), draft: row.draft, item: row.meta.item, item_name: row.meta.item_name,
      item_name_en: row.meta.item_name_en, name: row.meta.name, papers: row.meta.papers, method: row.meta.method, state: answer.state, promised_at: answer.promised_at, custodian_name: answer.custodian_name,
      duplicates: answer.duplicates || [],
    })
    const { discardDraft } = await import('./draft.js')
    await discardDraft(row.draft)
  })
}
