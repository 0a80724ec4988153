// A process that pulls one image and may be killed: pull-driver.js REFERENCE DATA PODRT. Steps and the end as JSON lines.
import { createImages } from "../../src/host/image/index.js";
import { ImageError } from "../../src/ports/images.js";
import { QUICK } from "./store.js";

const [, , reference = "", data = "", podrt = ""] = process.argv;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
// The idle deadline must not end what a test means to end by a signal.
const images = createImages({ data, podrt, env: process.env, deadlines: { ...QUICK, idle: 20_000, window: 60_000, lock: 20_000 } });
try {
  const facts = await images.inspect(reference, "IfNotPresent");
  await images.ensure(facts, say);
  say({ end: "ok", has: await images.has(facts), layers: facts.layers });
} catch (error) {
  say({ end: error instanceof ImageError ? error.code : "bug", message: String(error) });
}
