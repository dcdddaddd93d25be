// Type size and theme of this browser, kept between visits; attributes on the root that kit.css reads.
export function startModes() {
  const size = localStorage.getItem('size')
  if (size) document.documentElement.dataset.size = size
}

export function toggleElder() {
  const root = document.documentElement
  if (root.dataset.size === 'elder') {
    delete root.dataset.size
    localStorage.removeItem('size')
  } else {
    root.dataset.size = 'elder'
    localStorage.setItem('size', 'elder')
  }
  return root.dataset.size === 'elder'
}
