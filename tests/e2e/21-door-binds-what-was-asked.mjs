// --listen and --sync-listen open the address that was asked, and no other; what cannot be opened is refused in words.
import { test, after } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { spawn, spawnSync } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { createServer } from 'node:net'
import { HUB } from '../../scripts/demo/world.mjs'
import { hub } from './door.mjs'

const site = await hub('binds')
await site.stop()
after(() => site.clean())

/** The addresses that this port listens on, as the kernel has them. */
function bound(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const found = []
  for (const f of ['tcp', 'tcp6'])
    for (const line of readFileSync(`/proc/net/${f}`, 'utf8').split('\n').slice(1)) {
      const [, local, , state] = line.trim().split(/\s+/)
      if (state === '0A' && local.endsWith(':' + hex)) found.push(local.slice(0, -5))
    }
  return found
}
const V4 = '0100007F', V6 = '00000000000000000000000001000000'
const has6 = Object.values(networkInterfaces()).flat().some(a => a.address === '::1')

async function opens(listen, sync) {
  const args = ['run', '--data', site.dir, '--listen', listen, '--sync-listen', sync]
  const child = spawn(HUB, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = '', err = ''
  child.stderr.on('data', d => { err += d })
  const m = await new Promise((ok, no) => {
    child.stdout.on('data', d => { out += d; const x = /ready http=(\d+) sync=(\d+)/.exec(out); if (x) ok(x) })
    child.once('exit', () => no(new Error(err)))
  })
  return { http: Number(m[1]), sync: Number(m[2]), stop: () => new Promise(r => { child.once('exit', r); child.kill() }) }
}

for (const [listen, want, needs6] of [['127.0.0.1:0', V4], ['localhost:0', V4], ['[::1]:0', V6, true]])
  test(`${listen} is that address alone, for both ports`, { timeout: 30000, skip: needs6 && !has6 && 'this machine has no IPv6' }, async () => {
    const p = await opens(listen, listen)
    try {
      assert.deepEqual(bound(p.http), [want])
      assert.deepEqual(bound(p.sync), [want])
    } finally { await p.stop() }
  })
test('0.0.0.0 is every address of IPv4, since it was asked', { timeout: 30000 }, async () => {
  const p = await opens('0.0.0.0:0', '127.0.0.1:0')
  try {
    assert.deepEqual(bound(p.http), ['00000000'])
    assert.deepEqual(bound(p.sync), [V4])
  } finally { await p.stop() }
})

function refused(args, words) {
  const r = spawnSync(HUB, ['run', '--data', site.dir, ...args], { encoding: 'utf8', timeout: 20000 })
  assert.equal(r.status, 1, r.stderr)
  for (const w of words) assert.match(r.stderr, w)
  assert.doesNotMatch(r.stdout, /ready/)
}
test('an address that this machine has not is refused', () => {
  refused(['--listen', '192.0.2.77:0'], [/--listen 192\.0\.2\.77:0/, /no such address/])
  refused(['--listen', '127.0.0.1:0', '--sync-listen', '192.0.2.77:0'], [/--sync-listen 192\.0\.2\.77:0/])
})
test('a name that nobody knows, and what is no address, are refused', () => {
  refused(['--listen', 'no-such-host.invalid:0'], [/no-such-host\.invalid/])
  for (const a of ['8400', '127.0.0.1', '::1:8400', '127.0.0.1:99999', ':8400'])
    refused(['--listen', a], [/--listen must be ADDRESS:PORT/, /\[::1\]:8400/])
})
test('a port that is in use is refused', async () => {
  const s = createServer().listen(0, '127.0.0.1')
  await new Promise(r => s.once('listening', r))
  refused(['--listen', `127.0.0.1:${s.address().port}`], [/in use/])
  s.close()
})
test('doorstep.conf: a wrong key or value is refused, with its line', async () => {
  const conf = `${site.dir}/doorstep.conf`
  writeFileSync(conf, '# ours\nconnections = 50\nconections = 5\n')
  refused(['--listen', '127.0.0.1:0'], [/doorstep\.conf, line 3/, /conections/])
  writeFileSync(conf, 'connections = lots\n')
  refused(['--listen', '127.0.0.1:0'], [/doorstep\.conf, line 1/, /whole number from 8/])
  writeFileSync(conf, 'connections = 50\nheader_seconds = 2\n')
  const p = await opens('127.0.0.1:0', '127.0.0.1:0')
  try {
    const text = await (await fetch(`http://127.0.0.1:${p.http}/metrics`)).text()
    assert.match(text, /doorstep_limit\{name="connections"\} 50\n/)
    assert.match(text, /doorstep_limit_used\{name="connections"\} 1\n/)
  } finally { await p.stop() }
})
test('a proxy that is no network is refused', () => {
  refused(['--listen', '127.0.0.1:0', '--trusted-proxy', '10.0.0.1/8'], [/--trusted-proxy/, /10\.0\.0\.1\/8/])
})
