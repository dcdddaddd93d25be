// mosquitto, edge bridged to hub with QoS 1 and persistent sessions. The events are published at the edge while the
// bridge's line is down; then it comes up, and the time runs until a subscriber at the hub has had the last one.
// (The broker keeps its queue in memory and saves it now and then: what it acknowledges is not durable.)
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Helper, Line, now_ns, temporary } from '../replication/world.mjs'
import { sleep } from '../../../scripts/demo/world.mjs'
import { events, freePort, has, message, portUp } from './common.mjs'

export const name = 'mosquitto'
export const missing = () => has('mosquitto') ? null : 'not installed: apt-get install mosquitto'

/** As much of MQTT 3.1.1 as is needed here: connect, subscribe, publish with QoS 1, acknowledge. */
class Mqtt {
  static async to(port, id, { clean = true } = {}) {
    const c = new Mqtt()
    c.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    c.rest = Buffer.alloc(0)
    c.acked = 0
    c.got = 0
    c.waiting = []
    c.socket.on('data', d => c.read(d))
    c.socket.on('error', e => { c.error = e })
    const name = Buffer.from(id)
    const head = Buffer.from([0, 4, 77, 81, 84, 84, 4, clean ? 2 : 0, 0, 0, 0, name.length])
    c.send(0x10, Buffer.concat([head, name]))
    await c.answer(2)
    return c
  }

  send(type, body) {
    const head = [type]
    for (let n = body.length; ; ) {
      const low = n % 128
      n = (n - low) / 128
      head.push(low | (n ? 128 : 0))
      if (!n) break
    }
    return this.socket.write(Buffer.concat([Buffer.from(head), body]))
  }

  read(data) {
    let b = this.rest.length ? Buffer.concat([this.rest, data]) : data
    const acks = []
    for (;;) {
      let n = 0
      let at = 1
      let whole = false
      for (let shift = 1; at < b.length && at < 5; shift *= 128) {
        n += (b[at] & 127) * shift
        if (!(b[at++] & 128)) { whole = true; break }
      }
      if (!whole || b.length < at + n) break
      const type = b[0] >> 4
      if (type === 3) {
        const topic = b.readUInt16BE(at)
        if (b[0] & 6) acks.push(Buffer.from([0x40, 2, b[at + 2 + topic], b[at + 3 + topic]]))
        this.got++
      } else if (type === 4) this.acked++
      else this.waiting = this.waiting.filter(w => w.type !== type || w.ok())
      b = b.subarray(at + n)
    }
    this.rest = b
    if (acks.length) this.socket.write(Buffer.concat(acks))
    this.moved?.()
  }

  answer(type) {
    return new Promise((ok, no) => {
      const timer = setTimeout(() => no(new Error('the broker does not answer')), 10000)
      this.waiting.push({ type, ok: () => { clearTimeout(timer); ok() } })
    })
  }

  async subscribe(topic) {
    const t = Buffer.from(topic)
    this.send(0x82, Buffer.concat([Buffer.from([0, 1, t.length >> 8, t.length & 255]), t, Buffer.from([1])]))
    await this.answer(9)
  }

  /** Publish all, at most 1,000 of them unacknowledged. */
  async publish(topic, bodies) {
    const t = Buffer.from(topic)
    const start = this.acked
    for (let i = 0; i < bodies.length; i++) {
      while (i - (this.acked - start) >= 1000) await this.some()
      const id = 1 + i % 60000
      this.send(0x32, Buffer.concat([Buffer.from([t.length >> 8, t.length & 255]), t, Buffer.from([id >> 8, id & 255]), bodies[i]]))
    }
    while (this.acked - start < bodies.length) await this.some()
  }

  some() {
    return new Promise((ok, no) => {
      const timer = setTimeout(() => no(this.error ?? new Error('the broker stands still')), 20000)
      this.moved = () => { clearTimeout(timer); this.moved = null; ok() }
    })
  }

  close() { this.socket.end(Buffer.from([0xe0, 0])) }
}

export async function open(queue) {
  const bodies = (await events(queue)).map(r => Buffer.from(message(queue, r)))

  async function once() {
    const dir = temporary('mosquitto')
    const [hub_port, edge_port, line_port] = [await freePort(), await freePort(), await freePort()]
    const common = d => {
      mkdirSync(join(dir, d))
      return `${process.getuid() === 0 ? 'user root\n' : ''}allow_anonymous true\npersistence true\npersistence_location ${dir}/${d}/\n` +
        'max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\nlog_type error\n'
    }
    writeFileSync(join(dir, 'hub.conf'), `listener ${hub_port} 127.0.0.1\n${common('hub')}`)
    writeFileSync(join(dir, 'edge.conf'), `listener ${edge_port} 127.0.0.1\n${common('edge')}connection hub\naddress 127.0.0.1:${line_port}\n` +
      'cleansession false\nbridge_protocol_version mqttv311\nnotifications false\nrestart_timeout 1\ntopic ev/# out 1\n')
    const started = ['hub', 'edge'].map(n => new Helper('mosquitto', ['-c', join(dir, `${n}.conf`)], { log: 'ignore' }))
    let line
    const clients = []
    try {
      await portUp(hub_port)
      await portUp(edge_port)
      const edge = await Mqtt.to(edge_port, 'queue')
      clients.push(edge)
      await edge.publish(`ev/${queue.origin}`, bodies)
      const hub = await Mqtt.to(hub_port, 'counter')
      clients.push(hub)
      await hub.subscribe('ev/#')
      line = await Line.to(hub_port, null, line_port)
      while (hub.got < bodies.length) await hub.some()
      const done = now_ns()
      await sleep(200)
      const r = await line.report()
      const seconds = (done - r.first_accept_ns) / 1e9
      return { name: 'mosquitto bridge, QoS 1 (not durable)', eps: bodies.length / seconds, bytes: (r.up + r.down) / bodies.length, seconds }
    } finally {
      for (const c of clients) c.close()
      for (const h of started) await h.stop()
      await line?.stop()
    }
  }
  return { run: async () => [await once()], close: async () => {} }
}
