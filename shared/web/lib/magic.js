// What a file is, by its first bytes: the office's own table (JPEG, PNG, WebP, PDF), and the names of
// what phones and desks often offer instead, so that it can be refused before a byte is sent.
const ascii = (b, from, to) => String.fromCharCode(...b.slice(from, to))

/** {type} when the office takes it, {refused: 'heic' | 'office' | 'video' | 'other'} when not. */
export function kind(b) {
  if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return { type: 'image/jpeg' }
  if (b[0] === 0x89 && ascii(b, 1, 4) === 'PNG') return { type: 'image/png' }
  if (ascii(b, 0, 4) === 'RIFF' && ascii(b, 8, 12) === 'WEBP') return { type: 'image/webp' }
  if (ascii(b, 0, 5) === '%PDF-') return { type: 'application/pdf' }
  if (ascii(b, 4, 8) === 'ftyp') return { refused: /^(heic|heix|heif|hevc|mif1|msf1|avif)/.test(ascii(b, 8, 12)) ? 'heic' : 'video' }
  if ((b[0] === 0x50 && b[1] === 0x4b) || (b[0] === 0xd0 && b[1] === 0xcf && b[2] === 0x11)) return { refused: 'office' }
  return { refused: 'other' }
}
