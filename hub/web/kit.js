// The pieces of the kit, while they are written: `npx vite --config vite.config.mjs --mode hub` in shared/web, then /kit.html.
import { createApp } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import '@shared/kit/tokens.css'
import '@shared/kit/kit.css'
import '@shared/kit/desk.css'
import '@shared/kit/app.css'
import { startModes } from '@shared/lib/modes.js'
import { startWords } from '@shared/lib/i18n.js'
import Kit from '@shared/kit/Kit.vue'

startModes()
const all = part => l => (l === 'en' ? import(`../../shared/web/words/en${part}.json`) : import(`../../shared/web/words/zh-CN${part}.json`))
startWords(all(''), all('.filing'), all('.office')).then(() =>
  createApp(Kit).use(createRouter({ history: createWebHashHistory(), routes: [{ path: '/:rest(.*)', component: { render: () => null } }] })).mount('#app'))
