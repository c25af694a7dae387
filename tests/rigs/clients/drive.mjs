// Like drive.py, but with the client from npm. The client's modules are in the current directory.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const find = createRequire(process.cwd() + "/");
const load = (name) => import(pathToFileURL(find.resolve(`@modelcontextprotocol/sdk/client/${name}`)).href);
const { Client } = await load("index.js");
const { StreamableHTTPClientTransport } = await load("streamableHttp.js");

const asked = JSON.parse(readFileSync(0, "utf8"));
const client = new Client({ name: "test", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(asked.url)));
const said = (await client.listTools()).tools.map((one) => [one.name, one.description]);
for (const [name, given] of asked.calls) {
  try {
    said.push((await client.callTool({ name, arguments: given })).content[0].text);
  } catch (error) {
    said.push({ raised: error.message });
  }
}
await client.close();
process.stdout.write(JSON.stringify(said));
