// A small client of the public interface: JSON calls and tus uploads, as any program would make them.
import { createHash, randomBytes } from 'node:crypto'

export class Refused extends Error {
  constructor(method, path, status, body) {
    super(`${method} ${path}: ${status} ${JSON.stringify(body).slice(0, 400)}`)
    this.status = status
    this.body = body
  }
}

export class Client {
  constructor(url, token = '') {
    this.url = url
    this.token = token
  }

  async raw(method, path, { body, headers = {}, timeout_ms = 60000 } = {}) {
    return fetch(this.url + path, {
      method, body, redirect: 'manual', signal: AbortSignal.timeout(timeout_ms),
      headers: { ...(this.token ? { Authorization: 'Bearer ' + this.token } : {}), ...headers },
    })
  }

  async call(method, path, json, headers = {}) {
    const res = await this.raw(method, '/api/v1' + path, {
      body: json === undefined ? undefined : JSON.stringify(json),
      headers: { ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    })
    const text = await res.text()
    let body = {}
    try { body = text ? JSON.parse(text) : {} } catch { body = { text } }
    if (!res.ok) throw new Refused(method, path, res.status, body)
    return body
  }

  get(path) { return this.call('GET', path) }
  post(path, json, headers) { return this.call('POST', path, json, headers) }

  /** Repeat a creating call with one Idempotency-Key until it gets through: what a good client does. */
  async postSure(path, json, { tries = 400 } = {}) {
    const key = randomBytes(12).toString('hex')
    for (let i = 0; ; i++) {
      try {
        return await this.post(path, json, { 'Idempotency-Key': key })
      } catch (e) {
        if (e instanceof Refused || i >= tries) throw e
        await new Promise(r => setTimeout(r, 150))
      }
    }
  }

  async signIn(username, password) {
    const { token, user } = await this.post('/sessions', { username, password })
    this.token = token
    return user
  }

  async tusCreate(size, type, filename) {
    const b64 = s => Buffer.from(s).toString('base64')
    const res = await this.raw('POST', '/api/v1/uploads', {
      headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(size), 'Upload-Metadata': `filename ${b64(filename)},filetype ${b64(type)}` },
    })
    if (res.status !== 201) throw new Refused('POST', '/uploads', res.status, await res.text())
    return new URL(res.headers.get('location'), this.url).pathname
  }

  async tusHead(path) {
    const res = await this.raw('HEAD', path, { headers: { 'Tus-Resumable': '1.0.0' } })
    if (!res.ok) throw new Refused('HEAD', path, res.status, {})
    return { offset: Number(res.headers.get('upload-offset')), digest: res.headers.get('doorstep-digest') }
  }

  async tusPatch(path, offset, bytes) {
    const res = await this.raw('PATCH', path, {
      body: bytes,
      headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
    })
    if (res.status !== 204) throw new Refused('PATCH', path, res.status, await res.text())
    return { offset: Number(res.headers.get('upload-offset')), digest: res.headers.get('doorstep-digest') }
  }

  /** Upload whole; resumes from the server's offset after any break. Returns the digest. */
  async upload(bytes, type, filename, { step = 512 * 1024, path = null } = {}) {
    path ??= await this.tusCreate(bytes.length, type, filename)
    let { offset, digest } = await this.tusHead(path)
    for (let tries = 0; offset < bytes.length;) {
      try {
        ({ offset, digest } = await this.tusPatch(path, offset, bytes.subarray(offset, offset + step)))
      } catch (e) {
        if (e instanceof Refused || ++tries > 400) throw e
        await new Promise(r => setTimeout(r, 150))
        try { offset = (await this.tusHead(path)).offset } catch { /* still down */ }
      }
    }
    const want = 'sha256:' + createHash('sha256').update(bytes).digest('hex')
    if (digest !== want) throw new Error(`upload of ${filename}: digest ${digest}, expected ${want}`)
    return digest
  }
}
