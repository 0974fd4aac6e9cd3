import { defineConfig } from 'vite';

/** The page: no inline scripts (the server's policy forbids them), nothing from another host. */
export default defineConfig({
  root: import.meta.dirname,
  esbuild: { jsx: 'automatic' },
  build: {
    outDir: '../../../dist/dashboard/web',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    // Small files as data: addresses would need a wider policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      // Libraries mark their client code for server rendering, which there is none of here.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
});
