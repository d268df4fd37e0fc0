import { defineConfig } from "tsup";

// Two entries share every chunk: `index` runs anywhere there is fetch, `index.node` adds
// what only Node can do (environment variables, a stream that lets the program exit).
export default defineConfig({
  entry: ["src/index.ts", "src/index.node.ts"],
  format: ["esm", "cjs"],
  target: "es2022",
  platform: "neutral",
  external: [/^node:/],
  dts: true,
  splitting: true,
  clean: true,
  sourcemap: false,
  treeshake: true,
  // Deno and others know Node's modules by their full names only.
  removeNodeProtocol: false,
});
