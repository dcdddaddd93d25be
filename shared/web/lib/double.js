// The second half of a double press belongs to what was pressed first: when the page has changed under the
// finger meanwhile, it must not press what now lies there (and close a receipt, or a password shown once).
export function guardDoublePress() {
  let first = null
  addEventListener('click', e => {
    const pressed = e.target.closest?.('button, a, summary, [role=button]') || null
    if (e.detail >= 2 && first && pressed !== first) {
      e.preventDefault()
      e.stopImmediatePropagation()
      return
    }
    first = pressed
  }, true)
}
