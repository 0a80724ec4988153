// A second process for tests of what two processes do to each other: agent.js lock DEADLINE | write FILE.
import { createHost } from "../../../../src/host/index.js";
import { HostError } from "../../../../src/ports/host.js";

const [role, argument = ""] = process.argv.slice(2);
const host = createHost(process.env);

if (role === "lock") {
  const manager = await host.manager();
  try {
    await manager.lock(Number(argument));
    process.stdout.write("held\n");
    // Holds it until the test closes our input or kills us.
    for await (const _ of process.stdin);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    process.stdout.write(`${error.code}: ${error.message}\n`);
  }
  await manager.close();
} else if (role === "write") {
  const files = await host.files();
  const size = 4 * 1024 * 1024;
  const versions = ["A", "B"].map((letter) => Buffer.alloc(size, letter));
  process.stdout.write("writing\n");
  for (let i = 0; ; i++) await files.write(argument, versions[i % 2] ?? Buffer.alloc(0), 0o644);
}
