// The catalogue and the sites as this page has them; what was read once stays when the line goes.
import { reactive } from 'vue'
import { get } from '../lib/api.js'
import { filer } from '../filing/filer.js'

export const guide = reactive({ items: [], sites: [], state: 'loading', fault: '' })

export async function loadGuide() {
  try {
    const [items, sites] = await Promise.all([get('/items'), get('/sites').catch(() => ({ sites: [] }))])
    guide.items = items.items
    guide.sites = sites.sites || []
    const here = guide.sites.find(s => s.here)
    filer.communities = guide.sites.filter(s => s.tier === 'community')
    filer.name = here?.name || ''
    guide.state = 'here'
  } catch (e) {
    guide.state = e.status === 0 ? 'off' : 'error'
    guide.fault = e.status === 0 ? '' : e.message
  }
}
