// PostgreSQL 15 logical replication: an edge and a hub cluster on loopback, both durable. The same events as rows,
// inserted at the edge while the subscription is disabled, one or 100 in a transaction; then it is enabled, and the
// time runs from the first connection on the line until the edge's slot says that the hub has flushed all. A
// subscription's own setting is synchronous_commit = off: the hub applies, and flushes and says so some hundred
// milliseconds later. With `on` each transaction is flushed as it is applied. What it does in the background (autovacuum,
// checkpoints) is kept out of everybody's measurements, its own included.
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, existsSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Helper, Line, now_ns, temporary } from '../replication/world.mjs'
import { sleep } from '../../../scripts/demo/world.mjs'
import { events, freePort } from './common.mjs'

const TABLE = 'CREATE TABLE event (origin text, seq bigint, hlc bigint, kind text, case_no text, body text, hash bytea, PRIMARY KEY (origin, seq))'
export const name = 'PostgreSQL'

function bin() {
  const asked = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  const dirs = [asked, ...(existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').map(v => `/usr/lib/postgresql/${v}/bin`) : [])]
  return dirs.find(d => d && existsSync(join(d, 'initdb')) && existsSync(join(d, 'postgres')))
}

export const missing = () => bin() && spawnSync('psql', ['--version']).status === 0 ? null : 'not installed: apt-get install postgresql-15'

/** psql kept open: a query and its rows. */
class Psql extends Helper {
  static to(port) {
    return new Psql('psql', ['-h', '127.0.0.1', '-p', port, '-U', 'postgres', '-qAtX', '-v', 'ON_ERROR_STOP=1', 'postgres'])
  }

  async ask(sql) {
    this.child.stdin.write(`${sql};\n\\echo =\n`)
    const rows = []
    for (let l; (l = await this.line()) !== '=';) rows.push(l)
    return rows
  }
}

class Cluster {
  static async start(dir, name, extra, who) {
    const c = new Cluster()
    c.port = await freePort()
    const data = join(dir, name)
    execFileSync(join(bin(), 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'], { ...who, cwd: dir, stdio: 'ignore' })
    appendFileSync(join(data, 'postgresql.conf'), `\nlisten_addresses='127.0.0.1'\nport=${c.port}\nunix_socket_directories='${dir}'\n` +
      `wal_level=logical\nfsync=on\nsynchronous_commit=on\nmax_wal_size='4GB'\nautovacuum=off\nlogging_collector=off\n${extra}\n`)
    c.server = new Helper(join(bin(), 'postgres'), ['-D', data], { log: openSync(join(dir, `${name}.log`), 'a'), spawn: { ...who, cwd: dir } })
    for (let i = 0; spawnSync(join(bin(), 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(c.port)]).status !== 0; i++) {
      if (i > 100) throw new Error(`PostgreSQL ${name} did not start: ${readFileSync(join(dir, `${name}.log`), 'utf8').slice(-400)}`)
      await sleep(100)
    }
    c.sql = Psql.to(c.port)
    await c.sql.ask('SET client_min_messages = error')
    await c.sql.ask(TABLE)
    return c
  }

  async stop() {
    await this.sql?.stop()
    await this.server.stop('SIGINT')
  }
}

export async function open(queue) {
  const dir = temporary('postgres')
  // initdb refuses root; another user runs it as himself
  const id = flag => Number(execFileSync('id', [flag, 'postgres']))
  const who = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {}
  if (who.uid) {
    chownSync(dir, who.uid, who.gid)
    execFileSync('chmod', ['711', join(dir, '..')])
  }
  const hub = await Cluster.start(dir, 'hub', '', who)
  const edge = await Cluster.start(dir, 'edge', '', who)
  const line = await Line.to(edge.port)
  let line_port = line.port
  await edge.sql.ask("CREATE PUBLICATION p FOR TABLE event WITH (publish = 'insert')")
  const conn = () => `host=127.0.0.1 port=${line_port} user=postgres dbname=postgres`
  await hub.sql.ask(`CREATE SUBSCRIPTION s CONNECTION '${conn()}' PUBLICATION p WITH (copy_data = false, synchronous_commit = 'off')`)
  await hub.sql.ask('ALTER SUBSCRIPTION s DISABLE')
  await line.stop()
  const rows = await events(queue)
  const file = join(dir, 'load.sql')

  async function once(batch, sync) {
    const quote = s => `'${s.replaceAll("'", "''")}'`
    const inserts = rows.map(r => `INSERT INTO event VALUES ('${queue.origin}',${r.seq},${r.hlc},'${r.kind}','${r.case_no}',${quote(r.body)},'\\x${r.hash}');\n`)
    const text = batch === 1 ? inserts : inserts.map((s, i) => (i % batch === 0 ? 'BEGIN;\n' : '') + s + (i % batch === batch - 1 || i === rows.length - 1 ? 'COMMIT;\n' : ''))
    writeFileSync(file, text.join(''))
    for (const c of [edge, hub]) await c.sql.ask('TRUNCATE event')
    execFileSync('psql', ['-h', '127.0.0.1', '-p', String(edge.port), '-U', 'postgres', '-qX', '-v', 'ON_ERROR_STOP=1', '-f', file, 'postgres'], { stdio: ['ignore', 'ignore', 'inherit'] })
    for (const c of [edge, hub]) await c.sql.ask('CHECKPOINT')
    const [lsn] = await edge.sql.ask('SELECT pg_current_wal_flush_lsn()')
    await hub.sql.ask(`ALTER SUBSCRIPTION s SET (synchronous_commit = '${sync}')`)
    const l = await Line.to(edge.port)
    try {
      line_port = l.port
      await hub.sql.ask(`ALTER SUBSCRIPTION s CONNECTION '${conn()}'`)
      await sleep(300)
      await hub.sql.ask('ALTER SUBSCRIPTION s ENABLE')
      const end = Date.now() + 120000
      while ((await edge.sql.ask(`SELECT confirmed_flush_lsn >= '${lsn}' FROM pg_replication_slots WHERE slot_name = 's'`))[0] !== 't') {
        if (Date.now() > end) throw new Error('PostgreSQL did not catch up in 120 s')
        await sleep(5)
      }
      const done = now_ns()
      const [n] = await hub.sql.ask('SELECT count(*) FROM event')
      if (Number(n) !== rows.length) throw new Error(`PostgreSQL holds ${n} of ${rows.length}`)
      const r = await l.report()
      const seconds = (done - r.first_accept_ns) / 1e9
      return { name: `PostgreSQL, ${batch} per transaction${sync === 'on' ? ', synchronous apply' : ''}`, eps: rows.length / seconds, bytes: (r.up + r.down) / rows.length, seconds }
    } finally {
      await hub.sql.ask('ALTER SUBSCRIPTION s DISABLE')
      for (let i = 0; i < 200 && (await edge.sql.ask('SELECT count(*) FROM pg_stat_replication'))[0] !== '0'; i++) await sleep(20)
      await l.stop()
      for (const c of [edge, hub]) await c.sql.ask('CHECKPOINT')
    }
  }
  return {
    run: async () => [await once(100, 'off'), await once(100, 'on'), await once(1, 'off')],
    close: async () => { await hub.stop(); await edge.stop() },
  }
}
