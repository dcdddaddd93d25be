// One project, two outputs: `vite build --mode node` and `--mode hub` build the pages of each program
// from node/web and hub/web into build/web/<part>.
import { defineConfig } from 'vite'
import vue from '@vitejs/plugin-vue'
import { readdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const top = resolve(here, '../..')
const modules = resolve(here, 'node_modules')

export default defineConfig(({ mode: part }) => {
  const root = resolve(top, part, 'web')
  const pages = readdirSync(root).filter(f => f.endsWith('.html'))
  return {
    root,
    base: '/',
    appType: 'mpa',
    publicDir: resolve(here, 'public'),
    plugins: [vue()],
    resolve: {
      alias: [
        { find: '@shared', replacement: here },
        { find: /^vue$/, replacement: resolve(modules, 'vue/dist/vue.runtime.esm-bundler.js') },
      ],
    },
    define: {
      __VUE_OPTIONS_API__: false,
      __VUE_PROD_DEVTOOLS__: false,
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
    },
    server: { fs: { allow: [top] }, proxy: { '/api': 'http://127.0.0.1:8080' } },
    build: {
      outDir: resolve(top, 'build/web', part),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      target: ['chrome87', 'safari14', 'firefox91'],
      cssTarget: 'chrome87',
      modulePreload: { polyfill: false },
      rollupOptions: {
        input: Object.fromEntries(pages.map(p => [p.slice(0, -5), resolve(root, p)])),
        output: {
          manualChunks: id => (/node_modules\/(@vue|vue)\//.test(id) ? 'vue' : undefined),
        },
      },
    },
  }
})
