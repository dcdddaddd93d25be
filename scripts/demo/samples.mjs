// Sample papers, made here: no real person, no fetched file. A photograph-sized JPEG, a PNG and a PDF
// that every viewer opens.
import { deflateSync } from 'node:zlib'
import { randomBytes } from 'node:crypto'

const table = [...Array(256)].map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n >>> 0
})

/** As zlib's, which Node.js has from 22.2 on only. */
function crc32(bytes) {
  let c = 0xffffffff
  for (const b of bytes) c = table[(c ^ b) & 255] ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

/** A grey gradient as PNG. */
export function png(width = 640, height = 420, shade = 3) {
  const raw = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) raw[y * (width + 1) + 1 + x] = 255 - ((x * shade + y) % 120)
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length, 0)
    body.copy(out, 4)
    out.writeUInt32BE(crc32(body), body.length + 4)
    return out
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 8
  return Buffer.concat([Buffer.from([0x89, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))])
}

/** A baseline grey JPEG of 8x8 blocks (DC only), filled up with comment segments to `bytes`. */
export function jpeg(bytes = 2 * 1024 * 1024, width = 1600, height = 1200) {
  const lengths = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]      // the usual DC table (T.81 annex K)
  const codes = ['00', '010', '011', '100', '101', '110', '1110', '11110', '111110', '1111110', '11111110', '111111110']
  const seg = (marker, data) => {
    const b = Buffer.alloc(4)
    b.writeUInt16BE(0xff00 | marker, 0)
    b.writeUInt16BE(data.length + 2, 2)
    return Buffer.concat([b, Buffer.from(data)])
  }
  let acc = 0
  let held = 0
  const out = []
  const put = bits => {
    for (const c of bits) {
      acc = (acc << 1) | +c
      if (++held === 8) {
        out.push(acc)
        if (acc === 255) out.push(0)
        acc = held = 0
      }
    }
  }
  let last = 0
  for (let y = 0; y < height / 8; y++)
    for (let x = 0; x < width / 8; x++) {
      const dc = Math.round(40 * Math.sin(x / 17) * Math.cos(y / 13))
      const diff = dc - last
      last = dc
      const size = diff ? Math.floor(Math.log2(Math.abs(diff))) + 1 : 0
      put(codes[size])
      if (size) put((diff > 0 ? diff : diff + (1 << size) - 1).toString(2).padStart(size, '0'))
      put('0')                                                           // end of block
    }
  while (held) put('1')
  const head = Buffer.concat([
    Buffer.from([0xff, 0xd8]), seg(0xe0, [74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    seg(0xdb, [0, ...Array(64).fill(16)]),
    seg(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    seg(0xc4, [0, ...lengths, ...codes.keys()]), seg(0xc4, [0x10, 1, ...Array(15).fill(0), 0]),
  ])
  const scan = Buffer.concat([seg(0xda, [1, 1, 0, 0, 63, 0]), Buffer.from(out), Buffer.from([0xff, 0xd9])])
  const filling = []
  let left = bytes - head.length - scan.length
  while (left > 8) {
    const n = Math.min(left - 4, 65000)
    filling.push(seg(0xfe, randomBytes(n)))
    left -= n + 4
  }
  return Buffer.concat([head, ...filling, scan])
}

/** One page of PDF with a line of text. */
export function pdf(text = 'Sample paper') {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
    (s => `<</Length ${s.length}>>stream\n${s}\nendstream`)(`BT /F1 24 Tf 72 720 Td (${text}) Tj ET`),
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
  ]
  let out = '%PDF-1.4\n'
  const at = objects.map((o, i) => {
    const p = out.length
    out += `${i + 1} 0 obj\n${o}\nendobj\n`
    return p
  })
  const xref = out.length
  out += `xref\n0 6\n0000000000 65535 f \n${at.map(p => String(p).padStart(10, '0') + ' 00000 n \n').join('')}`
  return Buffer.from(out + `trailer<</Size 6/Root 1 0 R>>\nstartxref\n${xref}\n%%EOF\n`)
}
