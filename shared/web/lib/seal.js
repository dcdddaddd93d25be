// On a machine that several people use, what is kept is sealed: AES-GCM under a key made of the person's
// password (PBKDF2, salt of this browser). The key lies in the browser, not to be taken out, while the
// person is signed in, so that a crash loses nothing; signing out destroys it, and the next sign-in makes
// it again. Over plain http the browser has no such means: rows are then kept as they are (sealed() says).
import { list, put, read } from './store.js'

const subtle = globalThis.crypto?.subtle
const ROUNDS = 210000
let key = null
let owner = ''

export const sealed = () => !!key
export const sealOwner = () => owner

/** After a sign-in: make the key of this person, whoever was here before. */
export async function openWith(username, password) {
  owner = username
  key = null
  for (const k of await list('keys', k => k.key && k.id !== username)) await put('keys', { id: k.id, salt: k.salt })
  if (!subtle) return
  const had = await read('keys', username)
  const salt = had?.salt || crypto.getRandomValues(new Uint8Array(16))
  const base = await subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, ['deriveKey'])
  key = await subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await put('keys', { id: username, salt, key })
}

/** At the start of a page whose session still lives. */
export async function openKept(username) {
  owner = username
  key = (await read('keys', username))?.key || null
}

/** Sign-out, or somebody else's turn. */
export async function close() {
  if (owner) {
    const had = await read('keys', owner)
    if (had) await put('keys', { id: owner, salt: had.salt })
  }
  key = null
  owner = ''
}

export async function seal(data) {
  if (!key) return { open: data }
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const bytes = data instanceof Blob ? await data.arrayBuffer() : new TextEncoder().encode(JSON.stringify(data))
  return { iv, box: await subtle.encrypt({ name: 'AES-GCM', iv }, key, bytes), blob: data instanceof Blob ? data.type : null }
}

/** The data again; null when another password sealed them. */
export async function unseal(x) {
  if (!x) return null
  if ('open' in x) return x.open
  if (!key) return null
  try {
    const bytes = await subtle.decrypt({ name: 'AES-GCM', iv: x.iv }, key, x.box)
    return x.blob !== null ? new Blob([bytes], { type: x.blob }) : JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

