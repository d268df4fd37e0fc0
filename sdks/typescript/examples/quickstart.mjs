// Fetches a prompt, renders it and prints it; with --watch, again whenever it is published.
//
//   XR2_URL=http://localhost:8000 XR2_API_KEY=xr2_… node quickstart.mjs welcome-message name=Ada --watch
import { MissingVariablesError, Xr2 } from "xr2";

const given = process.argv.slice(2);
const watch = given.includes("--watch");
const [slug = "welcome-message", ...pairs] = given.filter((word) => word !== "--watch");
const values = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));

const client = new Xr2();

async function show(prompt) {
  try {
    const rendered = await prompt.render(values);
    console.log(`${prompt.slug} v${prompt.version} (${prompt.source})\n${rendered}\n`);
  } catch (error) {
    if (!(error instanceof MissingVariablesError)) throw error;
    console.log(`${prompt.slug} v${prompt.version} needs ${error.variables.map(({ name }) => `${name}=…`).join(" ")}\n${prompt}\n`);
  }
}

if (watch) {
  for await (const prompt of client.watch(slug)) await show(prompt);
} else {
  await show(await client.get(slug));
}
