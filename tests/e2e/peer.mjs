// A child site written from schema/protocol.md alone: it shares no code with the programs. Used by the tests of
// foreign and of hostile peers.
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { join, resolve } from 'node:path'

const require = createRequire(resolve('shared/web/package.json'))
const WebSocket = require('ws')
const dictionary = readFileSync('schema/sync/dictionary-2.txt')
export const FRAME = { HELLO: 1, EVENTS: 2, ACK: 3, WANT: 4, CHUNK: 5, NONE: 6, CLOCK_ASK: 7, CLOCK: 8, HEAD: 9, PING: 10, PONG: 11, BYE: 12, HAVE: 13, RECALL: 14, RECALLED: 15 }

export const u8 = n => Buffer.from([n])
export const u64 = n => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b }
export function varint(n) {
  const out = []
  for (n = BigInt(n); n > 127n; n >>= 7n) out.push(Number(n & 127n) | 128)
  out.push(Number(n))
  return Buffer.from(out)
}
const long = s => { const b = Buffer.from(s); return Buffer.concat([varint(b.length), b]) }
const short = s => Buffer.concat([u8(Buffer.byteLength(s)), Buffer.from(s)])

/** 21 digits: street (9), yymmdd, number (5), check (ISO 7064 MOD 11,10). */
export function caseNumber(street9, day, n) {
  const digits = street9 + day + String(n).padStart(5, '0')
  let p = 10
  for (const c of digits) p = (((p + Number(c)) % 10 || 10) * 2) % 11
  return digits + (11 - p) % 10
}

export class Reader {
  constructor(b) { this.b = b; this.at = 0 }
  bytes(n) { const x = this.b.subarray(this.at, this.at + n); if (x.length !== n) throw new Error('short'); this.at += n; return x }
  u8() { return this.bytes(1)[0] }
  u64() { return this.bytes(8).readBigUInt64BE() }
  varint() { let v = 0n; for (let s = 0n; ; s += 7n) { const c = BigInt(this.u8()); v |= (c & 127n) << s; if (c < 128n) return Number(v) } }
  long() { return this.bytes(this.varint()).toString() }
  short() { return this.bytes(this.u8()).toString() }
  rest() { return this.bytes(this.b.length - this.at) }
}

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts.map(x => Buffer.from(x)))).digest()
const CRITICAL = 1, SIGNED = 2, PERSONAL = 4
const fields = e => Buffer.concat([varint(e.hlc), long(e.kind), long(e.dossier), long(e.street), long(e.actor), long(e.record), long(e.more ?? '')])
const flagsOf = e => (e.critical ? CRITICAL : 0) | (e.signature ? SIGNED : 0) | (e.personal !== undefined || e.digest ? PERSONAL : 0)
/** An event: personal and salt, or digest alone (a shell), or neither. */
export const encodeEvent = e => Buffer.concat([u8(2), u8(e.flags ?? flagsOf(e)), u8(e.form ?? (e.personal !== undefined ? 1 : e.digest ? 2 : 0)),
  long(e.origin), varint(e.seq), fields(e), ...(e.personal !== undefined ? [e.salt, long(e.personal)] : e.digest ? [e.digest] : []), e.signature ?? Buffer.alloc(0)])
export const personalDigest = e => e.personal !== undefined ? sha256('doorstep.personal.2', e.salt, e.personal) : e.digest ?? Buffer.alloc(32)
export const coreOf = e => sha256('doorstep.event.2', e.origin.slice(0, 12), u8(2), u8(flagsOf(e)), fields(e), personalDigest(e))
export const chain = (prev, e) => sha256(prev, e.origin, u64(e.seq), coreOf(e))
export function decodeEvent(b) {
  const r = new Reader(b)
  if (r.u8() !== 2) throw new Error('event version')
  const flags = r.u8(), form = r.u8()
  const e = { origin: r.long(), seq: r.varint(), hlc: r.varint(), kind: r.long(), dossier: r.long(), street: r.long(), actor: r.long(), record: r.long(), more: r.bytes(r.varint()), critical: !!(flags & CRITICAL) }
  if (form === 1) Object.assign(e, { salt: Buffer.from(r.bytes(16)), personal: r.long() })
  else if (form === 2) e.digest = Buffer.from(r.bytes(32))
  if (flags & SIGNED) e.signature = Buffer.from(r.bytes(64))
  if (r.at !== b.length || flagsOf(e) !== flags) throw new Error('event form')
  return e
}

export class Peer {
  constructor(dir, site) { Object.assign(this, { dir, site, seq: 0, head: Buffer.alloc(32), out: [], stream: randomBytes(16) }) }

  /** Enrol by an invitation, "site.secret.fingerprint". */
  async enrol(url, invitation) {
    const [site, secret, print] = invitation.split('.')
    const pair = generateKeyPairSync('ed25519')
    this.signing = pair.privateKey
    const pub = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x, 'base64url').toString('hex')
    this.keyPath = join(this.dir, `${site}.key`)
    execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', this.keyPath], { stdio: 'ignore' })
    const csr = execFileSync('openssl', ['req', '-new', '-key', this.keyPath, '-subj', `/CN=${site}`], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    const body = JSON.stringify({ site, secret, csr, public_key: pub })
    const answer = await new Promise((ok, no) => {
      const q = request(url + '/sync/v1/enrol', { method: 'POST', rejectUnauthorized: false, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, res => {
        let text = ''
        res.on('data', d => { text += d })
        res.on('end', () => ok({ status: res.statusCode, body: JSON.parse(text) }))
      })
      q.on('error', no)
      q.end(body)
    })
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    const ca = answer.body.ca
    const der = Buffer.from(ca.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    if (!createHash('sha256').update(der).digest('hex').startsWith(print)) throw new Error('another authority')
    Object.assign(this, { cert: answer.body.certificate, ca, parent: answer.body.parent.site, key: readFileSync(this.keyPath) })
    createPrivateKey(this.key)
    return this
  }

  /** Open a link; resolves when the parent's hello has come. raw: say no hello. speaks: oldest and newest version. ahead_ms: of
   * its clock. What an older one of this peer still has to say counts no more. */
  connect(port, { raw = false, tls = {}, held = 0, known = Buffer.alloc(16), speaks = [2, 3], rest = '', ahead_ms = 0 } = {}) {
    this.speaks = speaks
    this.ahead_ms = ahead_ms
    this.version = 0
    this.received = []
    this.frames = []
    this.closed = null
    this.deflate = createDeflateRaw({ dictionary, level: 6 })
    this.inflate = createInflateRaw({ dictionary })
    this.deflated = []
    this.deflate.on('data', d => this.deflated.push(d))
    this.inflated = []
    this.inflate.on('data', d => this.inflated.push(d))
    this.inflate.on('error', () => {})
    this.busy = Promise.resolve()
    const ws = this.ws = new WebSocket(`wss://127.0.0.1:${port}/sync/v1`, 'doorstep.sync.v1', { cert: this.cert, key: this.key, ca: this.ca, checkServerIdentity: () => undefined, ...tls })
    return new Promise((ok, no) => {
      let fault = null
      ws.on('error', e => { fault = e; no(e) })
      ws.on('close', (code, reason) => {
        if (ws === this.ws) this.closed = fault ? { code: 0, reason: fault.message } : { code, reason: reason.toString() }
        no(new Error('closed ' + reason))
      })
      ws.on('open', () => {
        if (raw) return ok(this)
        this.hello({ known, held, rest })
      })
      ws.on('message', m => {
        if (ws === this.ws) this.busy = this.busy.then(() => this.take(Buffer.from(m))).then(first => { if (first === FRAME.HELLO) ok(this) }).catch(() => {})
      })
    })
  }

  hello({ site = this.site, speaks = this.speaks, known = Buffer.alloc(16), held = 0, rest = '' } = {}) {
    this.send(FRAME.HELLO, Buffer.from('DST1'), u8(speaks[0]), u8(speaks[1]), Buffer.from(site + this.parent), this.stream, known, varint(held), this.wall(), Buffer.from(rest))
  }

  wall() { return u64(Date.now() + this.ahead_ms) }

  askClock() { this.send(FRAME.CLOCK_ASK, u64(Math.round(performance.now())), this.version >= 3 ? this.wall() : Buffer.alloc(0)) }

  send(kind, ...parts) { this.ws.send(Buffer.concat([u8(kind), ...parts])) }

  async take(m) {
    const r = new Reader(m)
    const kind = r.u8()
    const f = { kind }
    if (kind === FRAME.HELLO) {
      r.bytes(4)
      f.oldest = r.u8()
      f.newest = r.u8()
      this.version = Math.min(f.newest, this.speaks[1])
      r.bytes(24)
      f.stream = Buffer.from(r.bytes(16))
      r.bytes(16)
      this.acked = r.varint()
      f.wall = Number(r.u64())
      this.parentStream = f.stream
    } else if (kind === FRAME.EVENTS) {
      f.pos = r.varint()
      const count = r.varint()
      const size = r.varint()
      this.inflated.length = 0
      await new Promise(ok => this.inflate.write(r.rest(), () => this.inflate.flush(constants.Z_SYNC_FLUSH, ok)))
      const all = new Reader(Buffer.concat(this.inflated))
      if (all.b.length !== size) throw new Error(`batch of ${all.b.length}, announced ${size}`)
      for (let i = 0; i < count; i++) this.received.push(decodeEvent(all.bytes(all.varint())))
      this.send(FRAME.ACK, varint(f.pos))
    } else if (kind === FRAME.ACK) {
      this.acked = r.varint()
    } else if (kind === FRAME.WANT) {
      Object.assign(f, { digest: Buffer.from(r.bytes(32)), offset: r.varint(), max: r.varint() })
      const doc = this.documents?.get(f.digest.toString('hex'))
      if (doc) this.send(FRAME.CHUNK, f.digest, varint(f.offset), varint(doc.length), doc.subarray(f.offset, f.offset + f.max))
      else this.send(FRAME.NONE, f.digest)
    } else if (kind === FRAME.HAVE || kind === FRAME.NONE) {
      f.digest = Buffer.from(r.bytes(32))
    } else if (kind === FRAME.CLOCK) {
      Object.assign(f, { mono: r.u64(), now: r.u64(), promised: r.u64(), length: r.u64(), pos: r.varint() })
      if (this.version >= 3) f.wall = Number(r.u64())
      if (r.at !== r.b.length) throw new Error('clock of another version')
    } else if (kind === FRAME.BYE) {
      f.code = r.u8()
      f.reason = r.short()
      this.bye = f
    } else if (kind === FRAME.PING) {
      this.send(FRAME.PONG, r.rest())
    }
    this.frames.push(f)
    return kind
  }

  event(kind, dossier, record, more = {}) {
    const e = { origin: this.site, seq: ++this.seq, hlc: BigInt(Date.now()) << 16n, kind, dossier, street: this.parent, actor: '', record: JSON.stringify(record), ...more }
    if (e.signed) {
      e.signature = Buffer.alloc(64) // its flag is a part of the core
      e.signature = sign(null, Buffer.concat([Buffer.from('doorstep.said.2'), coreOf(e)]), this.signing)
    }
    this.head = chain(this.head, e)
    this.out.push(encodeEvent(e))
    return e
  }

  async sendEvents(from, count, { raw_bytes, pos } = {}) {
    const raw = Buffer.concat(this.out.slice(from, from + count).map(b => Buffer.concat([varint(b.length), b])))
    this.deflated.length = 0
    await new Promise(ok => this.deflate.write(raw, () => this.deflate.flush(constants.Z_SYNC_FLUSH, ok)))
    this.send(FRAME.EVENTS, varint(pos ?? from + count), varint(count), varint(raw_bytes ?? raw.length), Buffer.concat(this.deflated))
  }

  sendHead(seq = this.seq, hash = this.head, sig = null) {
    sig ??= sign(null, Buffer.concat([Buffer.from('doorstep.head.1'), Buffer.from(this.site), u64(seq), hash]), this.signing)
    this.send(FRAME.HEAD, short(this.site), varint(seq), hash, sig)
  }

  close() { this.ws?.terminate() }
}
export { short }
