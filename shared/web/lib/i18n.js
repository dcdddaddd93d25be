// The words of the pages: zh-CN first, English second. t('key', {n: 3}) fills {n}; an English text
// "one file|{n} files" chooses by n. A page is mounted when its words are there: await startWords(...).
import { reactive } from 'vue'

const state = reactive({ lang: 'zh-CN', words: {} })
let sources = []

export const lang = () => state.lang

const kept = () => { try { return localStorage.getItem('lang') } catch { return null } }

/** `list`: functions (lang) => Promise of a module of words; later ones win. */
export async function startWords(...list) {
  sources = [...list]
  const asked = new URLSearchParams(location.search).get('lang') || kept() || navigator.language
  await load(/^en/i.test(asked) ? 'en' : 'zh-CN')
}

/** More words, when a part of the program is opened. */
export async function moreWords(source) {
  if (sources.some(s => String(s) === String(source))) return
  sources.push(source)
  Object.assign(state.words, (await source(state.lang)).default)
}

async function load(l) {
  const parts = await Promise.all(sources.map(s => s(l)))
  state.words = Object.assign({}, ...parts.map(p => p.default))
  state.lang = l
  document.documentElement.lang = l
}

export async function setLang(l) {
  try { localStorage.setItem('lang', l) } catch { /* a browser that keeps nothing */ }
  await load(l)
}

export function t(key, fill = {}) {
  let s = state.words[key]
  if (s === undefined) return key
  if (s.includes('|')) s = s.split('|')[fill.n === 1 ? 0 : 1]
  return s.replace(/\{(\w+)\}/g, (_, k) => fill[k] ?? '')
}

export const has = key => key in state.words

/** The name of a thing that carries `name` and perhaps `name_en` (or label, title ...). */
export const named = (o, key = 'name') => (o ? (state.lang === 'en' && o[key + '_en']) || o[key] || '' : '')
