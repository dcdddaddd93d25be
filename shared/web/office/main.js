// The workplaces: one shell, and in it the place of work of the person who signs in.
import { createApp } from 'vue'
import '../kit/tokens.css'
import '../kit/kit.css'
import '../kit/desk.css'
import '../kit/app.css'
import { configure } from '../lib/api.js'
import { guardDoublePress } from '../lib/double.js'
import { startModes } from '../lib/modes.js'
import { startWords } from '../lib/i18n.js'
import { startFiling } from '../filing/start.js'
import { filer } from '../filing/filer.js'
import { boot, guard, renew, session } from './session.js'
import { startWork } from './work.js'
import { needs } from './places.js'
import App from './App.vue'
import { router } from './router.js'

startModes()
guardDoublePress()
document.documentElement.dataset.density = 'desk'
configure({ credentials: 'same-origin', user: () => session.user?.username || '', guard, renew })
filer.office = true
const words = startWords(
  l => (l === 'en' ? import('../words/en.json') : import('../words/zh-CN.json')),
  l => (l === 'en' ? import('../words/en.filing.json') : import('../words/zh-CN.filing.json')),
  l => (l === 'en' ? import('../words/en.office.json') : import('../words/zh-CN.office.json')),
)
Promise.all([words, boot()]).then(async () => {
  if (session.user) {
    filer.owner = session.user.username
    await startFiling()
    startWork(needs(session.user.role))
  }
  createApp(App).use(router).mount('#app')
  // pages that are needed when the line is away
  if (session.user) for (const part of [() => import('./Unsent.vue'), () => import('./Hand.vue'), () => import('./FileStart.vue')]) part().catch(() => {})
})
