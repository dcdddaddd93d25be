import { nextTick } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import { moreWords, t } from '../lib/i18n.js'
import { say } from '../kit/toast.js'
import Home from './Home.vue'

// Pages of a filing come with its machinery and its words.
const filing = page => () => Promise.all([import('../filing/start.js').then(m => m.startFiling()), moreWords(l => (l === 'en' ? import('../words/en.filing.json') : import('../words/zh-CN.filing.json')))]).then(() => page())

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', component: Home, meta: { title: 'title.home' } },
    { path: '/event/:key', component: () => import('./Event.vue'), meta: { title: 'title.home' } },
    { path: '/search', component: () => import('./Search.vue'), meta: { title: 'title.search' } },
    { path: '/item/:code', component: () => import('./Item.vue'), meta: { title: 'title.item' } },
    { path: '/file/:draft', component: filing(() => import('../filing/Tasks.vue')), meta: { title: 'title.file' } },
    { path: '/file/:draft/check', component: filing(() => import('../filing/Check.vue')), meta: { title: 'title.check' } },
    { path: '/file/:draft/:step', component: filing(() => import('../filing/Step.vue')), meta: { title: 'title.file' } },
    { path: '/sent/:id', component: filing(() => import('../filing/Sent.vue')), meta: { title: 'title.sent' } },
    { path: '/receipt/:no', component: filing(() => import('../filing/Receipt.vue')), meta: { title: 'title.receipt' } },
    { path: '/track', component: () => import('./Track.vue'), meta: { title: 'title.track' } },
    { path: '/c/:no/:code', component: filing(() => import('./Case.vue')), meta: { title: 'title.case' } },
    { path: '/c/:no/:code/papers', component: filing(() => import('./Supplement.vue')), meta: { title: 'title.supplement' } },
    { path: '/track/:no/:code', redirect: to => `/c/${to.params.no}/${to.params.code}` },
    { path: '/verify/:token?', component: () => import('./Verify.vue'), meta: { title: 'title.verify' } },
    { path: '/:rest(.*)', component: () => import('./Lost.vue'), meta: { title: 'title.lost' } },
  ],
  scrollBehavior: (to, from, saved) => saved || (to.path === from.path ? false : { top: 0 }),
})
// A part of the program that cannot be fetched now: said, and the page stays.
router.onError(() => say(t('e.offline'), { bad: true }))
router.afterEach(async (to, from) => {
  document.title = `${t(to.meta.title)} · ${t('portal')}`
  if (!from.matched.length || to.path === from.path) return
  await nextTick()
  document.querySelector('main h1')?.focus({ preventScroll: true })
})
