// NATS JetStream: a leaf node with a stream of its own, and a hub whose stream sources it, both in files. The events are
// published at the leaf while the line is down; then it comes up, and the time runs until the hub's stream has all.
// (JetStream syncs its files every two minutes unless told otherwise: what it acknowledges is not durable.)
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Helper, Line, now_ns, temporary } from '../replication/world.mjs'
import { sleep } from '../../../scripts/demo/world.mjs'
import { events, freePort, has, message, portUp } from './common.mjs'

export const name = 'NATS JetStream'
export const missing = () => has('nats-server') ? null : 'not installed: apt-get install nats-server'

/** The text protocol of NATS, as much as is needed: publish, and ask with an inbox for the answer. */
class Nats {
  static async to(port) {
    const c = new Nats()
    c.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    c.rest = Buffer.alloc(0)
    c.asked = new Map()
    c.acks = 0
    c.last = 0
    c.socket.on('data', d => c.read(d))
    c.socket.on('error', e => { c.error = e })
    c.socket.write('CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1","protocol":1}\r\nSUB _in.* 1\r\n')
    return c
  }

  read(data) {
    let b = this.rest.length ? Buffer.concat([this.rest, data]) : data
    for (let end; (end = b.indexOf('\r\n')) >= 0;) {
      const line = b.toString('latin1', 0, end)
      let next = end + 2
      if (line.startsWith('MSG ')) {
        const words = line.split(' ')
        const n = Number(words.at(-1))
        if (b.length < next + n + 2) break
        this.message(words[1], b.subarray(next, next + n))
        next += n + 2
      } else if (line === 'PING') this.socket.write('PONG\r\n')
      else if (line.startsWith('-ERR')) this.error = new Error(`NATS: ${line}`)
      b = b.subarray(next)
    }
    this.rest = b
    this.moved?.()
  }

  message(subject, body) {
    if (subject === '_in.ack') {
      if (body.includes('"error"')) this.error = new Error(`NATS: ${body}`)
      this.acks++
    } else {
      this.asked.get(subject)?.(JSON.parse(body))
      this.asked.delete(subject)
    }
  }

  ask(subject, json) {
    const inbox = `_in.${++this.last}`
    const body = json ? JSON.stringify(json) : ''
    this.socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(body)}\r\n${body}\r\n`)
    return new Promise((ok, no) => {
      const timer = setTimeout(() => no(new Error(`NATS does not answer ${subject}`)), 15000)
      this.asked.set(inbox, a => { clearTimeout(timer); a.error ? no(new Error(`NATS: ${subject}: ${a.error.description}`)) : ok(a) })
    })
  }

  /** Publish all, at most 256 of them unacknowledged. */
  async publish(subject, bodies) {
    for (let i = 0; i < bodies.length; i++) {
      while (i - this.acks >= 256) await this.some()
      this.socket.write(Buffer.concat([Buffer.from(`PUB ${subject} _in.ack ${bodies[i].length}\r\n`), bodies[i], Buffer.from('\r\n')]))
    }
    while (this.acks < bodies.length) await this.some()
  }

  some() {
    if (this.error) throw this.error
    return new Promise((ok, no) => {
      const timer = setTimeout(() => no(this.error ?? new Error('NATS stands still')), 20000)
      this.moved = () => { clearTimeout(timer); this.moved = null; ok() }
    })
  }

  close() { this.socket.end() }
}

export async function open(queue) {
  const bodies = (await events(queue)).map(r => Buffer.from(message(queue, r)))

  async function once() {
    const dir = temporary('nats')
    const [hub_port, leaf_port, edge_port, line_port] = [await freePort(), await freePort(), await freePort(), await freePort()]
    writeFileSync(join(dir, 'hub.conf'), `listen: "127.0.0.1:${hub_port}"\nserver_name: hub\njetstream { store_dir: "${dir}/hub", domain: hub }\n` +
      `leafnodes { listen: "127.0.0.1:${leaf_port}" }\n`)
    writeFileSync(join(dir, 'edge.conf'), `listen: "127.0.0.1:${edge_port}"\nserver_name: edge\njetstream { store_dir: "${dir}/edge", domain: edge }\n` +
      `leafnodes { reconnect: 1, remotes: [ { url: "nats-leaf://127.0.0.1:${line_port}" } ] }\n`)
    const started = ['hub', 'edge'].map(n => new Helper('nats-server', ['-c', join(dir, `${n}.conf`)], { log: 'ignore' }))
    const clients = []
    let line
    try {
      await portUp(hub_port)
      await portUp(edge_port)
      const edge = await Nats.to(edge_port)
      const hub = await Nats.to(hub_port)
      clients.push(edge, hub)
      await edge.ask('$JS.API.STREAM.CREATE.EV', { name: 'EV', subjects: ['ev.>'], storage: 'file', retention: 'limits', num_replicas: 1 })
      await edge.publish(`ev.${queue.origin}`, bodies)
      await hub.ask('$JS.API.STREAM.CREATE.EVHUB', { name: 'EVHUB', storage: 'file', retention: 'limits', num_replicas: 1, sources: [{ name: 'EV', external: { api: '$JS.edge.API', deliver: '' } }] })
      await sleep(1500)
      line = await Line.to(leaf_port, null, line_port)
      const end = Date.now() + 120000
      while ((await hub.ask('$JS.API.STREAM.INFO.EVHUB')).state.messages < bodies.length) {
        if (Date.now() > end) throw new Error('NATS did not catch up in 120 s')
        await sleep(10)
      }
      const done = now_ns()
      const r = await line.report()
      const seconds = (done - r.first_accept_ns) / 1e9
      return { name: 'NATS JetStream leaf and source (not durable)', eps: bodies.length / seconds, bytes: (r.up + r.down) / bodies.length, seconds }
    } finally {
      for (const c of clients) c.close()
      for (const h of [...started].reverse()) await h.stop()
      await line?.stop()
    }
  }
  return { run: async () => [await once()], close: async () => {} }
}
