// Calls to /api/v1. A refused call throws a Problem (RFC 9457) whose text is already in the page's
// language; a lost line throws one with status 0.
import { lang } from './i18n.js'

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || String(status))
    this.status = status
    this.body = body
  }
}

export async function call(method, path, body, headers = {}) {
  let res
  try {
    res = await fetch('/api/v1' + path, {
      method,
      credentials: 'same-origin',
      headers: {
        'Accept-Language': lang(),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new Problem(0, { code: 'offline' })
  }
  const text = await res.text()
  let json = {}
  try { json = text ? JSON.parse(text) : {} } catch { json = { detail: text.slice(0, 200) } }
  if (!res.ok) throw new Problem(res.status, json)
  return json
}

export const get = path => call('GET', path)
export const post = (path, body, headers) => call('POST', path, body, headers)

/** A fresh Idempotency-Key: kept by the caller for as long as it repeats one and the same request. */
export function newKey() {
  const b = new Uint8Array(16)
  crypto.getRandomValues(b)
  return [...b].map(x => x.toString(16).padStart(2, '0')).join('')
}
