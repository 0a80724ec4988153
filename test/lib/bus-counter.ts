// Stands between a program and the user's bus: node bus-counter.js COMMAND… runs it and prints its D-Bus calls as JSON, a member per line of the last list.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";

const bus = (process.env["DBUS_SESSION_BUS_ADDRESS"] ?? "").replace(/^unix:path=/, "");
const own = `${process.env["XDG_RUNTIME_DIR"]}/bus-counter-${process.pid}`;
const members: string[] = [];

/** Takes whole messages off the front; what is left waits for more (D-Bus specification, "Message Format"). */
function count(data: Buffer): Buffer {
  let rest = data;
  while (rest.length >= 16) {
    const [body, fields] = [rest.readUInt32LE(4), rest.readUInt32LE(12)];
    const whole = 16 + Math.ceil(fields / 8) * 8 + body;
    if (rest.length < whole) break;
    if (rest[1] === 1) members.push(memberOf(rest.subarray(16, 16 + fields)));
    rest = rest.subarray(whole);
  }
  return rest;
}

/** Field 3 of the header is the member: a byte 3, the signature "s", and a string. */
function memberOf(fields: Buffer): string {
  const at = fields.indexOf(Buffer.from([3, 1, 0x73, 0]));
  const length = fields.readUInt32LE(at + 4);
  return fields.toString("utf8", at + 8, at + 8 + length);
}

const server = createServer((client) => {
  const upstream = connect(bus);
  let waiting: Buffer = Buffer.alloc(0);
  let begun = false;
  client.on("data", (piece) => {
    waiting = Buffer.concat([waiting, piece]);
    const end = waiting.indexOf("BEGIN\r\n");
    if (!begun && end >= 0) {
      begun = true;
      waiting = waiting.subarray(end + 7);
    }
    if (begun) waiting = count(waiting);
    upstream.write(piece);
  });
  upstream.on("data", (piece) => client.write(piece));
  client.on("close", () => upstream.destroy());
  upstream.on("close", () => client.destroy());
});
server.listen(own, () => {
  const [program = "", ...words] = process.argv.slice(2);
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${own}` };
  const child = spawn(program, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  child.on("close", (code) => {
    process.stdout.write(`${JSON.stringify({ code, members })}\n`);
    rmSync(own, { force: true });
    process.exit(0);
  });
});
