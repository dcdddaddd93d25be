// The guide: life events, the other names of items, and the search over both. What the catalogue says
// (life_events, aliases) is taken first; this table stands in for catalogues that do not say it yet.
export const EVENTS = [
  { key: 'child', topics: ['生育收养'], codes: ['birth-household-entry'], first: ['birth-registration-first', 'birth-registration-second'] },
  { key: 'shop', topics: ['准营准办', '公共安全'], codes: [], first: ['self-employed-open'] },
  { key: 'moved', topics: [], codes: ['residence-registration', 'residence-permit'], first: ['residence-registration'] },
  { key: 'old', topics: ['养老服务'], codes: [] },
  { key: 'hardship', topics: [], codes: ['minimum-living'] },
  { key: 'disability', topics: [], codes: ['disability-card'] },
]
const ALIASES = {
  'birth-registration-first': ['准生证', '生育服务卡', '生育证', '头胎'],
  'birth-registration-second': ['准生证', '生育服务卡', '生育证', '二胎'],
  'birth-household-entry': ['上户口', '落户口', '报户口', '新生儿户口'],
  'single-child-parent-card': ['独生子女证', '光荣证'],
  'elderly-card': ['老年证', '老人卡', '优待证'],
  'residence-registration': ['暂住登记', '暂住证', '租房登记'],
  'residence-permit': ['居住证', '暂住证'],
  'minimum-living': ['低保', '低保户', '困难补助'],
  'disability-card': ['残疾证', '残疾人证'],
  'self-employed-open': ['营业执照', '开店', '个体户', '开网店'],
  'self-employed-change': ['改营业执照', '换店名', '换地址'],
  'self-employed-close': ['关店', '注销营业执照', '不开了'],
  'hygiene-licence-new': ['卫生许可证', '理发店', '旅馆', '美容店'],
  'hygiene-licence-change': ['卫生许可证', '换老板'],
}

export const aliases = item => item.aliases || ALIASES[item.code] || []

export const eventOf = item =>
  EVENTS.find(e => (item.life_events || []).includes(e.key)) ||
  EVENTS.find(e => e.codes.includes(item.code)) ||
  EVENTS.find(e => e.topics.some(x => (item.topics_person || []).includes(x)))

/** Items of each life event, in the order of the table; what fits none comes as `other`. */
export function byEvent(items) {
  const rank = (e, i) => { const at = (e.first || []).indexOf(i.code); return at < 0 ? 99 : at }
  const groups = EVENTS.map(e => ({ key: e.key, items: items.filter(i => eventOf(i) === e).sort((a, b) => rank(e, a) - rank(e, b)) }))
  const rest = items.filter(i => !eventOf(i))
  if (rest.length) groups.push({ key: 'other', items: rest })
  return groups.filter(g => g.items.length)
}

const flat = s => String(s || '').normalize('NFKC').toLowerCase().replace(/[\s·、，,.。()（）-]/g, '')

function inOrder(needle, hay) {
  let at = 0
  for (const c of needle) {
    at = hay.indexOf(c, at) + 1
    if (!at) return false
  }
  return true
}

/** How well one text answers; 0: not at all. `initials(text)` gives sets of first letters, or is null. */
function fit(q, text, initials) {
  const s = flat(text)
  if (!s) return 0
  if (s === q) return 100
  if (s.startsWith(q)) return 80
  if (s.includes(q)) return 60
  if (q.length > 1 && inOrder(q, s)) return 30
  if (initials && /^[a-z]+$/.test(q)) {
    const sets = [...s].map(initials)
    for (let from = 0; from + q.length <= sets.length; from++)
      if ([...q].every((c, i) => sets[from + i].includes(c))) return from ? 50 : 70
  }
  return 0
}

/**
 * search(items, text, initials) -> [{item, via}] best first; `via` is the other name that was meant, or ''.
 */
export function search(items, text, initials = null) {
  const q = flat(text)
  if (!q) return []
  const found = []
  for (const item of items) {
    let best = Math.max(fit(q, item.name, initials), fit(q, item.name_en, null)), via = ''
    for (const a of aliases(item)) {
      const f = fit(q, a, initials) - 1
      if (f > best) [best, via] = [f, a]
    }
    if (best > 0) found.push({ item, via, best })
  }
  return found.sort((a, b) => b.best - a.best || a.item.code.localeCompare(b.item.code))
}
