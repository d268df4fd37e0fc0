// Fetches a prompt, renders it and prints it; with --watch, again whenever it is published.
//
//   XR2_URL=http://localhost:8000 XR2_API_KEY=xr2_… node quickstart.mjs welcome-message name=Ada --watch
import { InvalidVariablesError, Xr2 } from "xr2";

const words = process.argv.slice(2);
const watch = words.includes("--watch");
const [slug = "welcome-message", ...pairs] = words.filter((word) => word !== "--watch");

/** The values of the command line, each read by the type the prompt declares for it. */
function valuesFor(prompt) {
  const types = new Map(prompt.variables.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, ...rest] = pair.split("=");
      const text = rest.join("=");
      return [name, ["string", "any", undefined].includes(types.get(name)) ? text : JSON.parse(text)];
    }),
  );
}

async function show(prompt) {
  console.log(`${prompt.slug}, version ${prompt.version} (${prompt.source})`);
  try {
    console.log(`${await prompt.render(valuesFor(prompt))}\n`);
  } catch (error) {
    if (!(error instanceof InvalidVariablesError)) throw error;
    console.log(`${prompt}\n\n${error.message}\n`);
  }
}

const client = new Xr2();
if (watch) {
  for await (const prompt of client.watch(slug)) await show(prompt);
} else {
  await show(await client.get(slug));
}
