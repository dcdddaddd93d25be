import { nextTick } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import { t } from '../lib/i18n.js'
import { say } from '../kit/toast.js'
import Shell from './Shell.vue'
import { landing } from './places.js'
import { session } from './session.js'
import { filer } from '../filing/filer.js'

const list = (path, place) => ({ path, component: () => import('./Queue.vue'), meta: { place, list: place, title: 'place.' + place } })

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: () => (session.user ? landing(session.user.role) : '/signin') },
    { path: '/signin', component: () => import('./SignIn.vue'), meta: { title: 'signin', open: true } },
    {
      path: '/', component: Shell, children: [
        list('/queue', 'queue'), list('/waiting', 'waiting'), list('/elsewhere', 'elsewhere'), list('/done', 'done'), list('/cases', 'cases'), list('/lights', 'lights'), list('/open', 'all'),
        { path: '/case/:no', component: () => import('./CaseView.vue'), meta: { place: 'mine', deep: true, title: 'title.case' } },
        { path: '/case/:no/papers', component: () => import('./CasePapers.vue'), meta: { place: 'mine', deep: true, title: 'title.supplement' } },
        { path: '/today', component: () => import('./Today.vue'), meta: { place: 'today', title: 'place.today' } },
        { path: '/file', component: () => import('./FileStart.vue'), meta: { place: 'file', title: 'place.file' } },
        { path: '/unsent', component: () => import('./Unsent.vue'), meta: { place: 'unsent', title: 'place.unsent' } },
        { path: '/hand/:id', component: () => import('./Hand.vue'), meta: { place: 'mine', deep: true, title: 'title.hand' } },
        { path: '/board', component: () => import('./Board.vue'), meta: { place: 'board', title: 'place.board' } },
        { path: '/returned', component: () => import('./Board.vue'), meta: { place: 'back', title: 'place.back' } },
        { path: '/round', component: () => import('./Round.vue'), meta: { place: 'round', title: 'place.round' } },
        { path: '/delivered', component: () => import('./Round.vue'), meta: { place: 'delivered', title: 'place.delivered' } },
        { path: '/figures', component: () => import('./Figures.vue'), meta: { place: 'figures', title: 'place.figures' } },
        { path: '/sites', component: () => import('./Sites.vue'), meta: { place: 'sites', title: 'place.sites' } },
        { path: '/accounts', component: () => import('./Accounts.vue'), meta: { place: 'accounts', title: 'place.accounts' } },
        { path: '/items', component: () => import('./Items.vue'), meta: { place: 'items', title: 'place.items' } },
        { path: '/items/:code', component: () => import('./ItemView.vue'), meta: { place: 'items', deep: true, title: 'place.items' } },
        { path: '/upkeep', component: () => import('./Upkeep.vue'), meta: { place: 'upkeep', title: 'place.upkeep' } },
      ],
    },
    { path: '/file/:draft', component: () => import('../filing/Tasks.vue'), meta: { title: 'title.file' } },
    { path: '/file/:draft/check', component: () => import('../filing/Check.vue'), meta: { title: 'title.check' } },
    { path: '/file/:draft/:step', component: () => import('../filing/Step.vue'), meta: { title: 'title.file' } },
    { path: '/sent/:id', component: () => import('../filing/Sent.vue'), meta: { title: 'title.sent' } },
    { path: '/receipt/:no', component: () => import('../filing/Receipt.vue'), meta: { title: 'title.receipt' } },
    { path: '/:rest(.*)', redirect: '/' },
  ],
  scrollBehavior: (to, from, saved) => saved || (to.path === from.path ? false : { top: 0 }),
})
// A part of the program that cannot be fetched now: said, and the page stays.
router.onError(() => say(t('e.offline'), { bad: true }))
router.beforeEach(to => {
  if (!session.user && !to.meta.open) return { path: '/signin', query: to.path === '/' ? {} : { to: to.fullPath } }
  if (session.user && to.meta.open) return '/'
  return true
})
router.afterEach(async (to, from) => {
  document.title = `${t(to.meta.title || 'portal')} · ${filer.name || t('portal')}`
  if (!from.matched.length || to.path === from.path) return
  await nextTick()
  document.querySelector('main h1')?.focus({ preventScroll: true })
})
