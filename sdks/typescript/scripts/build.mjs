// Builds the package with nothing but the compiler: `dist/esm` and `dist/cjs` hold the same
// modules and the same types, and a package.json says which kind the second ones are.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const compiler = join(here, "node_modules", "typescript", "bin", "tsc");

function compile(...options) {
  execFileSync(process.execPath, [compiler, "--project", "tsconfig.build.json", ...options], { cwd: here, stdio: "inherit" });
}

rmSync(join(here, "dist"), { recursive: true, force: true });
compile();
compile("--outDir", "dist/cjs", "--module", "commonjs", "--moduleResolution", "node10", "--verbatimModuleSyntax", "false");
writeFileSync(join(here, "dist", "cjs", "package.json"), '{ "type": "commonjs" }\n');
