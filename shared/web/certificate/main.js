// A certificate on one sheet, printed by the browser (certificate.html#NUMBER), for sites that draw no PDF.
import { createApp } from 'vue'
import '../kit/tokens.css'
import '../kit/kit.css'
import '../kit/app.css'
import '../kit/paper.css'
import './sheet.css'
import { configure } from '../lib/api.js'
import { startWords } from '../lib/i18n.js'
import { startModes } from '../lib/modes.js'
import App from './App.vue'

startModes()
configure({ credentials: 'same-origin' })
startWords(
  l => (l === 'en' ? import('../words/en.json') : import('../words/zh-CN.json')),
  l => (l === 'en' ? import('../words/en.filing.json') : import('../words/zh-CN.filing.json')),
  l => (l === 'en' ? import('../words/en.office.json') : import('../words/zh-CN.office.json')),
).then(() => createApp(App).mount('#app'))
