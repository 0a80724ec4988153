// A real docker-registry on a free loopback port, by test/harness/registry.sh.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const DEADLINE = 60_000;

export interface RegistryOptions {
  /** `NAME:PASSWORD`; else anybody may read and write. */
  readonly auth?: string;
  /** HTTPS for localhost and registry.test with the authority `dir`/ca.crt. */
  readonly tls?: boolean;
  /** With `tls`: nobody without a certificate; `dir`/client.cert and client.key are one. */
  readonly clients?: boolean;
}

export interface Registry {
  /** `localhost:PORT` */
  readonly host: string;
  readonly dir: string;
  /** Copies images of an OCI layout into it: `nginx` (as nginx:latest) or `nginx=web/nginx:1.27`. */
  fill(layout: string, ...names: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Ready to answer when it returns. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const port = String(await freePort());
  const dir = await mkdtemp(join(tmpdir(), "podgen-registry-"));
  const harness = (...words: string[]) => run("test/harness/registry.sh", words, { timeout: DEADLINE });
  await harness(
    "start",
    port,
    dir,
    ...(options.auth === undefined ? [] : ["--auth", options.auth]),
    ...(options.tls ? ["--tls"] : []),
    ...(options.clients ? ["--clients"] : []),
  );
  return {
    host: `localhost:${port}`,
    dir,
    async fill(layout, ...names) {
      await harness("fill", port, layout, ...names);
    },
    async stop() {
      await harness("stop", port);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
