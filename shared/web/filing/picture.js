// A receipt as one picture: number, code, QR; drawn here, so that nothing of it goes anywhere.
import { encode } from 'uqr'

export function receiptPicture({ lines, plate, qr, foot }) {
  const W = 720, H = 1000
  const c = document.createElement('canvas')
  c.width = W
  c.height = H
  const g = c.getContext('2d')
  const font = (px, bold) => { g.font = `${bold ? 600 : 400} ${px}px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif` }
  g.fillStyle = '#fff'
  g.fillRect(0, 0, W, H)
  g.textAlign = 'center'
  g.fillStyle = '#15232a'
  let y = 80
  for (const [i, s] of lines.entries()) {
    font(i ? 30 : 40, !i)
    g.fillText(s, W / 2, y, W - 60)
    y += i ? 44 : 56
  }
  g.fillStyle = '#0e4f8a'
  g.fillRect(60, y, W - 120, 190)
  g.strokeStyle = '#fff'
  g.lineWidth = 3
  g.strokeRect(66, y + 6, W - 132, 178)
  g.fillStyle = '#fff'
  font(28)
  g.fillText(plate[0], W / 2, y + 50)
  font(58, true)
  g.fillText(plate[1], W / 2, y + 112, W - 160)
  font(34, true)
  g.fillText(plate[2], W / 2, y + 164)
  y += 220
  const { data, size } = encode(qr, { border: 2, ecc: 'M' })
  const cell = Math.floor(400 / size)
  const left = (W - cell * size) / 2
  g.fillStyle = '#000'
  data.forEach((row, r) => row.forEach((on, k) => { if (on) g.fillRect(left + k * cell, y + r * cell, cell, cell) }))
  y += cell * size + 50
  g.fillStyle = '#43525a'
  font(28)
  for (const s of foot) {
    g.fillText(s, W / 2, y, W - 60)
    y += 40
  }
  return new Promise(done => c.toBlob(done, 'image/png'))
}
