// A process that pulls one image and may be killed: pull-driver.js REFERENCE DATA PODRT, or that copies it into the store: … NAME.
// Steps and the end as JSON lines.
import { createCopies } from "../../src/host/image/copy/index.js";
import { createImages } from "../../src/host/image/index.js";
import { ImageError } from "../../src/ports/images.js";
import { QUICK } from "./store.js";

const [, , reference = "", data = "", podrt = "", name] = process.argv;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
// The idle deadline must not end what a test means to end by a signal.
const options = { data, podrt, env: process.env, deadlines: { ...QUICK, idle: 20_000, window: 60_000, lock: 20_000 } };
const images = createImages(options);
try {
  const wishes = { all: false, preserve: false };
  if (name !== undefined)
    await createCopies({ ...options, settings: `${data}/none` }).copy(`docker://${reference}`, `store:${name}`, wishes, say);
  const facts = await images.inspect(name ?? reference, "IfNotPresent");
  if (name === undefined) await images.ensure(facts, say);
  say({ end: "ok", has: await images.has(facts), layers: facts.layers });
} catch (error) {
  say({ end: error instanceof ImageError ? error.code : "bug", message: String(error) });
}
