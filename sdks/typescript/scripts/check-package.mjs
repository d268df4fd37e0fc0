// Packs the package and uses it as a stranger would: installed in an empty place, by ESM, by
// CommonJS, by TypeScript under each way of resolving modules, and bundled for a browser.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const place = mkdtempSync(join(tmpdir(), "xr2-package-"));
const tool = (name) => join(here, "node_modules", ".bin", name);

function run(program, args, cwd = place) {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")} failed:\n${error.stdout ?? ""}${error.stderr ?? ""}`);
  }
}

function check(name, work) {
  work();
  console.log(`ok - ${name}`);
}

function expect(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: got ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}

const SAY = 'new Xr2({ apiKey: "xr2_k" }).url + " " + typeof xr2 + " " + typeof fileSnapshot';
const SAID = "http://localhost:8000 function function\n";

const TYPED = `
import { Xr2, xr2, fileSnapshot, NotFoundError, type Prompt, type Xr2Options } from "xr2";
const options: Xr2Options = { apiKey: "xr2_k", snapshot: fileSnapshot("x.json") };
export async function main(): Promise<string | null> {
  const client: Xr2 = xr2(options);
  const prompt: Prompt = await client.getPrompt("a").withVariables({ n: 1 }).fallback("b");
  if (prompt instanceof NotFoundError) return null;
  return prompt.content;
}
`;

try {
  run("npm", ["pack", "--pack-destination", place], here);
  const tarball = readdirSync(place).find((name) => name.endsWith(".tgz"));
  const listed = run("tar", ["-tzf", tarball]).trim().split("\n");
  check("the tarball holds the built files, README and LICENSE, and no source or test", () => {
    for (const name of ["dist/esm/index.node.js", "dist/cjs/index.node.js", "dist/esm/index.d.ts", "dist/cjs/index.d.ts", "README.md", "LICENSE"]) {
      if (!listed.includes(`package/${name}`)) throw new Error(`${name} is missing`);
    }
    const strange = listed.filter((name) => !/^package\/(?:dist\/|README\.md$|LICENSE$|package\.json$)/.test(name));
    expect("strange files", strange.join(), "");
  });
  writeFileSync(join(place, "package.json"), '{"name":"stranger","private":true}');
  run("npm", ["install", "--no-audit", "--no-fund", "--offline", `./${tarball}`]);

  check("it brings no dependencies along", () => {
    expect(
      "packages",
      readdirSync(join(place, "node_modules"))
        .filter((name) => !name.startsWith("."))
        .join(),
      "xr2",
    );
  });
  check("ESM", () => {
    writeFileSync(join(place, "a.mjs"), `import { Xr2, xr2, fileSnapshot } from "xr2"; console.log(${SAY});`);
    expect("output", run("node", ["a.mjs"]), SAID);
  });
  check("CommonJS", () => {
    writeFileSync(join(place, "a.cjs"), `const { Xr2, xr2, fileSnapshot } = require("xr2"); console.log(${SAY});`);
    expect("output", run("node", ["a.cjs"]), SAID);
  });

  writeFileSync(join(place, "main.ts"), TYPED);
  writeFileSync(join(place, "main.cts"), TYPED);
  writeFileSync(join(place, "main.mts"), TYPED);
  const options = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom"];
  for (const [module, resolution, file] of [
    ["nodenext", "nodenext", "main.mts"],
    ["nodenext", "nodenext", "main.cts"],
    ["esnext", "bundler", "main.ts"],
    ["commonjs", "node10", "main.ts"],
  ]) {
    check(`types: ${resolution}, ${file}`, () => {
      run(tool("tsc"), [...options, "--module", module, "--moduleResolution", resolution, file]);
    });
  }

  check("bundled for a browser it names nothing of Node", () => {
    symlinkSync(join(here, "node_modules", "esbuild"), join(place, "node_modules", "esbuild"));
    writeFileSync(join(place, "page.mjs"), `import { Xr2 } from "xr2"; globalThis.client = Xr2;`);
    run(tool("esbuild"), [
      "page.mjs",
      "--bundle",
      "--platform=browser",
      "--format=esm",
      "--minify",
      "--outfile=page.out.js",
    ]);
    const size = run("wc", ["-c", "page.out.js"]).trim().split(" ")[0];
    expect(
      "uses of node:",
      run("node", ["-e", 'console.log(/["\\x27]node:/.test(require("fs").readFileSync("page.out.js","utf8")))']),
      "false\n",
    );
    console.log(`     ${size} bytes minified`);
  });
} finally {
  rmSync(place, { recursive: true, force: true });
}
