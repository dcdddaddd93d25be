import { createApp } from 'vue'
import '../kit/kit.css'
import { startModes } from '../lib/modes.js'
import App from './App.vue'

startModes()
createApp(App).mount('#app')
