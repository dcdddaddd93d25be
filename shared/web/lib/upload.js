// Upload one file by tus; resolves to {digest, size, type, name}. Goes on where it broke off, also
// after the page was closed (tus-js-client keeps the address of the unfinished upload).
import * as tus from 'tus-js-client'

export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    let digest = ''
    const up = new tus.Upload(file, {
      endpoint: '/api/v1/uploads',
      chunkSize: 256 * 1024,
      retryDelays: [600, 1200, 3000, 6000, 12000, 30000, 30000],
      metadata: { filename: file.name, filetype: file.type },
      removeFingerprintOnSuccess: true,
      onProgress: (sent, all) => onProgress(all ? Math.floor((100 * sent) / all) : 100),
      onAfterResponse: (_req, res) => { digest = res.getHeader('Doorstep-Digest') || digest },
      onError: reject,
      onSuccess: () => digest
        ? resolve({ digest, size: file.size, type: file.type, name: file.name })
        : reject(new Error('upload without digest')),
    })
    up.findPreviousUploads().then(old => {
      if (old.length) up.resumeFromPreviousUpload(old[0])
      up.start()
    }, () => up.start())
  })
}

/** A photograph made smaller for a bad line: at most 2000 px, JPEG. Anything else comes back as it is. */
export async function shrink(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < 1500000 || !window.createImageBitmap) return file
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, 2000 / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(bitmap.width * scale)
  canvas.height = Math.round(bitmap.height * scale)
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', 0.82))
  return blob && blob.size < file.size
    ? new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' })
    : file
}
