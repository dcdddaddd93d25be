// scripts/not-yet.txt names the folders of shared/ that a check does not yet hold for: "CHECK FOLDER" a line. It only
// shrinks: a line whose folder is clean, or gone, fails the check too.
import { existsSync, readFileSync } from 'node:fs'

/** bad: the folders with faults. allowed: those of them that the list names; stale: lines that are not needed. */
export function notYet(check, bad) {
  const list = existsSync('scripts/not-yet.txt') ? readFileSync('scripts/not-yet.txt', 'utf8') : ''
  const named = list.split('\n').map(l => l.trim().split(/\s+/)).filter(w => w[0] === check).map(w => w[1])
  return { allowed: new Set(named.filter(f => bad.has(f))), stale: named.filter(f => !bad.has(f)) }
}
