// The residents' site: no sign-in, and no cookie of anybody who happens to be signed in in this browser.
import { createApp } from 'vue'
import '../kit/tokens.css'
import '../kit/kit.css'
import '../kit/app.css'
import { configure } from '../lib/api.js'
import { hadKept } from '../lib/had.js'
import { guardDoublePress } from '../lib/double.js'
import { startModes } from '../lib/modes.js'
import { startWords } from '../lib/i18n.js'
import App from './App.vue'
import { router } from './router.js'

startModes()
guardDoublePress()
configure({ credentials: 'omit' })
startWords(l => (l === 'en' ? import('../words/en.json') : import('../words/zh-CN.json'))).then(() => {
  createApp(App).use(router).mount('#app')
  hadKept().then(had => { if (had) import('../filing/start.js').then(m => m.startFiling()) })
})
