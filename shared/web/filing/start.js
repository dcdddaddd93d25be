// Everything that a filing needs, woken with the first of them: the outbox and what becomes of its answers.
import { load, run, sendAll } from '../lib/outbox.js'
import { persist } from '../lib/store.js'
import { filer } from './filer.js'
import { watchFilings } from './receipts.js'

let started = null

export function startFiling() {
  started ??= (async () => {
    watchFilings()
    await load(filer.owner).catch(() => {})
    run()
    sendAll()
    persist()
    // what comes later in a filing is fetched now: the line may be away by then
    for (const part of [() => import('./Tasks.vue'), () => import('./Step.vue'), () => import('./Check.vue'), () => import('./Sent.vue'), () => import('./Receipt.vue'), () => import('../lib/upload.js')]) part().catch(() => {})
  })()
  return started
}
