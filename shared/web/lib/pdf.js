// PDFs drawn on a canvas: the office's pages allow neither plug-ins nor frames. Loaded with the first PDF.
import { GlobalWorkerOptions, getDocument } from 'pdfjs-dist/legacy/build/pdf.min.mjs'
import PdfWorker from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?worker'

let worker = null

export async function openPdf(url) {
  worker ??= new PdfWorker()
  GlobalWorkerOptions.workerPort = worker
  return getDocument({ url, isEvalSupported: false, useSystemFonts: true, withCredentials: true, disableRange: true, disableStream: true, disableAutoFetch: true }).promise
}
