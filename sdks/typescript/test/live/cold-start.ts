/** A program that starts while the server is away: says what it got, as JSON. Run by the tests. */
import { fileSnapshot, Xr2 } from "../../src/index.node.js";

const [url, apiKey, slug, snapshot] = process.argv.slice(2);
const client = new Xr2({ url: url!, apiKey: apiKey!, snapshot: fileSnapshot(snapshot!) });
const { content, source, stale } = await client.get(slug!);
console.log(JSON.stringify({ content, source, stale }));
await client.close();
