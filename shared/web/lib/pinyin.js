// First letters of Chinese characters, from a table that the build makes (vite.config.mjs): for each letter
// the characters that may begin with it. Loaded when somebody types letters.
let table = null

export async function loadInitials() {
  if (!table) {
    const { default: rows } = await import('virtual:pinyin-initials')
    table = new Map()
    for (const [letter, chars] of Object.entries(rows))
      for (const c of chars) table.set(c, (table.get(c) || '') + letter)
  }
  return c => table.get(c) || c
}
