// What the bound of the database's log costs (shared/db/store.h): how often, and how long in all, the writer of a site stood
// still because its log was full. The site says so in its own log.
import { existsSync, readFileSync } from 'node:fs'

export const logWaits = site => waitsIn(existsSync(site.log) ? readFileSync(site.log, 'utf8') : '')

export function waitsIn(told) {
  const ms = [...told.matchAll(/log=full pages=\d+ waited_ms=(\d+)/g)].map(m => Number(m[1]))
  return { times: ms.length, ms: ms.reduce((a, b) => a + b, 0) }
}
