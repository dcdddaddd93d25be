// The words of the pages: zh-CN first, English second. t('key', {n: 3}) fills {n}.
import { reactive } from 'vue'
import zh from '../words/zh-CN.json'
import en from '../words/en.json'

const words = { 'zh-CN': zh, en }
const wanted = new URLSearchParams(location.search).get('lang') || localStorage.getItem('lang') || navigator.language
const state = reactive({ lang: /^en/i.test(wanted) ? 'en' : 'zh-CN' })

export const lang = () => state.lang

export function setLang(l) {
  state.lang = l
  localStorage.setItem('lang', l)
  document.documentElement.lang = l
}

export function t(key, fill = {}) {
  const s = words[state.lang][key] ?? words['zh-CN'][key] ?? key
  return s.replace(/\{(\w+)\}/g, (_, k) => fill[k] ?? '')
}

/** The name of a thing that carries `name` and perhaps `name_en` (or label, title ...). */
export const named = (o, key = 'name') => (o ? (state.lang === 'en' && o[key + '_en']) || o[key] || '' : '')

export const when = at =>
  at ? new Intl.DateTimeFormat(state.lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' }).format(new Date(at)) : ''

document.documentElement.lang = state.lang
