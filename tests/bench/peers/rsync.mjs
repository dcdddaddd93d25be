// rsync with --fsync to a daemon on loopback, without TLS: every file is written, synced and renamed; no digest is
// compared afterwards.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Helper, now_ns, temporary } from '../replication/world.mjs'
import { freePort, has, portUp } from './common.mjs'

export const name = 'rsync with --fsync'

export function missing() {
  if (!has('rsync')) return 'not installed: apt-get install rsync'
  return spawnSync('rsync', ['--help'], { encoding: 'utf8' }).stdout.includes('--fsync') ? null : 'this rsync is too old: --fsync came with 3.2.4'
}

/** Send the files once; MB/s. */
export async function send(files) {
  const dir = temporary('rsync')
  const port = await freePort()
  let bytes = 0
  for (const d of ['from', 'to']) mkdirSync(join(dir, d))
  for (const f of files) copyFileSync(f, join(dir, 'from', basename(f)))
  const own = process.getuid() === 0 ? 'uid = 0\ngid = 0\n' : ''
  writeFileSync(join(dir, 'rsyncd.conf'), `use chroot = no\n${own}[hub]\npath = ${dir}/to\nread only = no\n`)
  spawnSync('sync', ['-f', dir])
  const daemon = new Helper('rsync', ['--daemon', '--no-detach', `--config=${dir}/rsyncd.conf`, `--port=${port}`, '--address=127.0.0.1'], { log: 'ignore', stdin: 'ignore' }) // on a socket it would serve that
  try {
    await portUp(port)
    const began = now_ns()
    const sender = new Helper('rsync', ['-a', '--fsync', `${dir}/from/`, `rsync://127.0.0.1:${port}/hub/`])
    if (await sender.gone !== 0) throw new Error('rsync failed')
    const seconds = (now_ns() - began) / 1e9
    const there = readdirSync(join(dir, 'to'))
    if (there.length !== files.length) throw new Error(`rsync left ${there.length} files`)
    for (const f of files) bytes += spawnSync('stat', ['-c', '%s', f], { encoding: 'utf8' }).stdout * 1
    return bytes / 1e6 / seconds
  } finally {
    await daemon.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
