// One project, two outputs: `vite build --mode node` and `--mode hub` build the pages of each program
// from node/web and hub/web into build/web/<part>. `vite --mode hub` serves them while they are written,
// /kit.html with them (API=http://127.0.0.1:8401 names the site whose /api is used).
import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import { readdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const top = resolve(here, '../..')
const modules = resolve(here, 'node_modules')

/** {a: '啊阿…', b: …}: the 6,763 characters of GB 2312 by their first letters; one that is read in two ways stands twice. */
function pinyinInitials() {
  const id = '\0virtual:pinyin-initials'
  return {
    name: 'pinyin-initials',
    resolveId: s => (s === 'virtual:pinyin-initials' ? id : null),
    async load(s) {
      if (s !== id) return null
      const { pinyin } = await import('pinyin-pro')
      const decode = new TextDecoder('gb18030')
      const rows = {}
      for (let high = 0xb0; high <= 0xf7; high++)
        for (let low = 0xa1; low <= 0xfe; low++) {
          const c = decode.decode(Uint8Array.of(high, low))
          if (c.length !== 1 || !/\p{Script=Han}/u.test(c)) continue
          const letters = new Set(pinyin(c, { pattern: 'first', multiple: true, toneType: 'none', type: 'array' }).map(x => x[0]))
          for (const l of letters) if (/[a-z]/.test(l)) rows[l] = (rows[l] || '') + c
        }
      return `export default ${JSON.stringify(rows)}`
    },
  }
}

export default defineConfig(({ mode: part, command }) => {
  const root = resolve(top, part, 'web')
  const pages = readdirSync(root).filter(f => f.endsWith('.html') && (command === 'serve' || f !== 'kit.html'))
  return {
    root,
    base: '/',
    cacheDir: resolve(top, 'build/vite', part),
    appType: 'mpa',
    publicDir: resolve(here, 'public'),
    plugins: [vue(), pinyinInitials()],
    resolve: {
      alias: [
        { find: '@shared', replacement: here },
        { find: /^vue$/, replacement: resolve(modules, 'vue/dist/vue.runtime.esm-bundler.js') },
        { find: /^vue-router$/, replacement: resolve(modules, 'vue-router/dist/vue-router.mjs') },
      ],
    },
    define: {
      __VUE_OPTIONS_API__: false,
      __VUE_PROD_DEVTOOLS__: false,
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
    },
    worker: { format: 'es' },
    server: { fs: { allow: [top] }, proxy: { '/api': process.env.API || 'http://127.0.0.1:8401' } },
    build: {
      outDir: resolve(top, 'build/web', part),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      target: ['chrome87', 'safari15', 'firefox91'],
      cssTarget: 'chrome87',
      modulePreload: { polyfill: false },
      rollupOptions: {
        input: Object.fromEntries(pages.map(p => [p.slice(0, -5), resolve(root, p)])),
        output: {
          manualChunks: id => (/node_modules\/(@vue|vue|vue-router)\//.test(id) ? 'vue' : undefined),
        },
      },
    },
  }
})
