// Days and times as people say them, always those of the office (Asia/Shanghai).
const DAY = 86400000
const SHIFT = 8 * 3600000 // the office keeps one time all year

/** Number of the day of an instant, counted from 1970-01-01 in the office's time. */
export const dayOf = at => Math.floor((new Date(at).getTime() + SHIFT) / DAY)

const parts = at => {
  const d = new Date(new Date(at).getTime() + SHIFT)
  return { y: d.getUTCFullYear(), m: d.getUTCMonth() + 1, d: d.getUTCDate(), w: d.getUTCDay(), h: d.getUTCHours(), min: d.getUTCMinutes() }
}
const two = n => String(n).padStart(2, '0')
const WEEK = { 'zh-CN': '日一二三四五六', en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] }
const MONTH = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function day(at, lang = 'zh-CN', { week = true } = {}) {
  if (!at) return ''
  const p = parts(at)
  return lang === 'en'
    ? `${week ? WEEK.en[p.w] + ' ' : ''}${p.d} ${MONTH[p.m - 1]}`
    : `${p.m} 月 ${p.d} 日${week ? `（周${WEEK['zh-CN'][p.w]}）` : ''}`
}

export function clock(at) {
  const p = parts(at)
  return `${two(p.h)}:${two(p.min)}`
}

/** "今天 14:07", else the day and the time. */
export function moment(at, lang = 'zh-CN', now = Date.now()) {
  if (!at) return ''
  const same = dayOf(at) === dayOf(now)
  return `${same ? (lang === 'en' ? 'today' : '今天') : day(at, lang, { week: false })} ${clock(at)}`
}

/** A plain date of a form (2024-05-20) as people write it. */
export function plain(date, lang = 'zh-CN') {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date || '')
  if (!m) return date || ''
  return lang === 'en' ? `${+m[3]} ${MONTH[+m[2] - 1]} ${m[1]}` : `${m[1]} 年 ${+m[2]} 月 ${+m[3]} 日`
}

/** Days from now to a promise: negative when it is over. */
export const daysLeft = (at, now = Date.now()) => dayOf(at) - dayOf(now)

/** m:ss */
export const span = s => `${Math.floor(s / 60)}:${two(Math.floor(s % 60))}`

/** YYYY-MM-DD of an instant. */
export const iso = at => {
  const p = parts(at)
  return `${p.y}-${two(p.m)}-${two(p.d)}`
}
