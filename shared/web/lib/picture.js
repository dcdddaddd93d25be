// Photographs before they are sent: read upright, turned and cropped by the person's own hand, made smaller
// for a bad line. A picture that may be seen through gets white ground; what need not change is sent as it is.
const EDGE = 2400
const SMALL = 1500000

async function open(blob) {
  try {
    return await createImageBitmap(blob, { imageOrientation: 'from-image' })
  } catch {
    return createImageBitmap(blob)
  }
}

/**
 * edit: {turn: 0 | 90 | 180 | 270, crop: {x, y, w, h} in shares of the turned picture, or null}.
 * Resolves to {blob, changed, width, height}; blob is the one given when nothing had to change.
 */
export async function prepare(blob, { turn = 0, crop = null } = {}) {
  const edited = turn !== 0 || crop
  if (blob.type === 'application/pdf') return { blob, changed: false, width: 0, height: 0 }
  const bitmap = await open(blob)
  const swap = turn % 180 !== 0
  const [w, h] = swap ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height]
  const large = Math.max(w, h) > EDGE
  if (!edited && (blob.type !== 'image/jpeg' || (blob.size < SMALL && !large)))
    return { blob, changed: false, width: w, height: h }
  const c = crop || { x: 0, y: 0, w: 1, h: 1 }
  const [cw, ch] = [Math.max(1, w * c.w), Math.max(1, h * c.h)]
  const scale = Math.min(1, EDGE / Math.max(cw, ch))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(cw * scale)
  canvas.height = Math.round(ch * scale)
  const g = canvas.getContext('2d')
  g.fillStyle = '#fff'
  g.fillRect(0, 0, canvas.width, canvas.height)
  g.scale(scale, scale)
  g.translate(-w * c.x, -h * c.y)
  g.translate(w / 2, h / 2)
  g.rotate((turn * Math.PI) / 180)
  g.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2)
  bitmap.close?.()
  const type = blob.type === 'image/png' ? 'image/png' : 'image/jpeg'
  const out = await new Promise(done => canvas.toBlob(done, type, 0.86))
  if (!out || (!edited && out.size >= blob.size)) return { blob, changed: false, width: w, height: h }
  return { blob: out, changed: true, width: canvas.width, height: canvas.height }
}

/**
 * How sharp a photograph is: variance of the Laplacian on a small grey copy. Under about 40 a page of
 * writing can hardly be read. A warning, never a wall.
 */
export async function sharpness(blob) {
  if (!/^image\//.test(blob.type)) return Infinity
  const b = await open(blob)
  const s = Math.min(1, 640 / Math.max(b.width, b.height))
  const [w, h] = [Math.max(3, Math.round(b.width * s)), Math.max(3, Math.round(b.height * s))]
  const canvas = document.createElement('canvas')
  canvas.width = w
  canvas.height = h
  const g = canvas.getContext('2d', { willReadFrequently: true })
  g.drawImage(b, 0, 0, w, h)
  b.close?.()
  const { data } = g.getImageData(0, 0, w, h)
  const grey = i => data[i * 4] * 0.3 + data[i * 4 + 1] * 0.59 + data[i * 4 + 2] * 0.11
  let sum = 0, square = 0, n = 0
  for (let y = 1; y < h - 1; y++)
    for (let x = 1; x < w - 1; x++) {
      const i = y * w + x
      const v = 4 * grey(i) - grey(i - 1) - grey(i + 1) - grey(i - w) - grey(i + w)
      sum += v
      square += v * v
      n++
    }
  return square / n - (sum / n) ** 2
}
