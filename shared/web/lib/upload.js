// One paper by tus 1.0, in pieces. The address of the unfinished upload is kept by the caller with the
// paper, so that it goes on at the byte where it stopped, also after the page was closed.
import { Problem, credentials } from './api.js'
import { lang } from './i18n.js'

const PIECE = 256 * 1024
const WAITS_MS = [600, 1200, 3000, 6000, 12000, 30000]
const base = { 'Tus-Resumable': '1.0.0' }
const b64 = s => btoa(String.fromCharCode(...new TextEncoder().encode(s)))

async function send(method, url, headers, body, signal) {
  let res
  try {
    res = await fetch(url, { method, headers: { ...base, 'Accept-Language': lang(), ...headers }, body, signal, credentials: credentials() })
  } catch (e) {
    if (signal?.aborted) throw e
    throw new Problem(0, { code: 'offline' })
  }
  if (!res.ok) {
    let said = {}
    try { said = await res.json() } catch { /* no words */ }
    throw new Problem(res.status, said)
  }
  return res
}

/** sha256:<hex> of a blob where the browser can, else ''. */
export async function digest(blob) {
  if (!globalThis.crypto?.subtle) return ''
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
  return 'sha256:' + [...sum].map(x => x.toString(16).padStart(2, '0')).join('')
}

/**
 * upload(blob, {name, url, keep(url), progress(share), signal}) -> digest as the server holds it.
 * Tries again over a broken line until `signal` says stop; a refusal (4xx) throws at once.
 */
export async function upload(blob, { name = 'paper', url = '', keep = () => {}, progress = () => {}, signal } = {}) {
  let at = -1, got = '', tries = 0
  while (!got) {
    try {
      if (!url) {
        const res = await send('POST', '/api/v1/uploads', { 'Upload-Length': String(blob.size), 'Upload-Metadata': `filename ${b64(name)},filetype ${b64(blob.type)}` }, undefined, signal)
        url = new URL(res.headers.get('Location'), location.href).pathname
        at = 0
        await keep(url)
      }
      if (at < 0) {
        const res = await send('HEAD', url, {}, undefined, signal)
        at = Number(res.headers.get('Upload-Offset'))
        got = res.headers.get('Doorstep-Digest') || ''
      }
      progress(at / blob.size)
      while (!got && at < blob.size) {
        const res = await send('PATCH', url, { 'Upload-Offset': String(at), 'Content-Type': 'application/offset+octet-stream' }, blob.slice(at, at + PIECE), signal)
        at = Number(res.headers.get('Upload-Offset'))
        got = res.headers.get('Doorstep-Digest') || ''
        tries = 0
        progress(at / blob.size)
      }
      if (!got && at >= blob.size) throw new Problem(0, { code: 'no-digest' })
    } catch (e) {
      if (signal?.aborted) throw e
      if (e.status === 404 || e.status === 410) {       // the office has given it up: begin again
        url = ''
        await keep('')
      } else if (e.status !== 0 && e.status !== 409 && e.status !== 423 && e.status < 500) throw e
      at = -1
      await new Promise(r => setTimeout(r, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]))
      if (signal?.aborted) throw e
    }
  }
  const mine = await digest(blob)
  if (mine && mine !== got) throw new Problem(409, { code: 'paper-differs' })
  return got
}

/** A fingerprint of the file that was chosen: the same file chosen again goes on where it stopped. */
export async function fingerprint(file) {
  const ends = new Uint8Array(await new Blob([file.slice(0, 65536), file.slice(Math.max(0, file.size - 65536))]).arrayBuffer())
  let h = 0x811c9dc5
  for (const x of ends) h = Math.imul(h ^ x, 0x01000193) >>> 0
  return `${file.size}.${h.toString(16)}`
}
