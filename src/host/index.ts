// One user's machine behind ports/host.ts: each part is loaded and opened when it is first asked for.
import { userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import type { Host } from "../ports/host.js";
import type { Manager } from "../ports/manager.js";
import { readPaths } from "./facts/paths.js";

export interface HostOptions {
  /** The podrt that came with this podgen; by default beside the folder of the bundle, `dist/podrt`. */
  readonly podrt?: string;
}

/** The host of the calling user, as its environment says. Does nothing until a member is called. */
export function createHost(env: NodeJS.ProcessEnv, options: HostOptions = {}): Host {
  const { username: user, uid, gid, homedir } = userInfo();
  const paths = readPaths(env, homedir, `/run/user/${uid}`);
  const source = options.podrt ?? fileURLToPath(new URL("../podrt", import.meta.url));
  const files = once(async () => new (await import("./files/files.js")).Files([paths.data, paths.state, paths.run, paths.settings]));
  let manager: Promise<Manager> | undefined;
  return {
    paths,
    facts: async (reader) => {
      const [{ readFacts }, version, path] = await Promise.all([import("./facts/facts.js"), reader.version(), reader.searchPath()]);
      return readFacts({ paths, user, uid, gid, systemdVersion: version }, path);
    },
    manager: () => {
      manager ??= import("./systemd/manager.js")
        .then(({ openManager }) => openManager(env, paths.run))
        .catch((error) => {
          // The bus may be there at the next call.
          manager = undefined;
          throw error;
        });
      return manager;
    },
    files,
    journal: once(async () => new (await import("./journal/journal.js")).Journalctl(env)),
    runtime: once(async () => new (await import("./native/runtime.js")).NativeRuntime(paths, await files(), source, env)),
    images: once(async () =>
      (await import("./image/index.js")).createImages({ data: paths.data, podrt: source, env, settings: paths.settings }),
    ),
    imageStore: once(async () =>
      (await import("./image/manage.js")).createImageStore({
        data: paths.data,
        run: paths.run,
        podrt: source,
        env,
        settings: paths.settings,
      }),
    ),
    imageCopies: once(async () =>
      (await import("./image/copy/index.js")).createCopies({ data: paths.data, podrt: source, env, settings: paths.settings }),
    ),
    imageLists: once(async () => (await import("./image/lists/index.js")).createLists({ data: paths.data, podrt: source, env })),
    logins: once(async () => new (await import("./image/login.js")).RegistryLogins(env)),
    linger: once(async () => new (await import("./systemd/logind.js")).LogindLinger(env, user, uid)),
    kustomize: async (folder) => (await import("./kustomize.js")).kustomize(folder, env),
    doctor: async () => (await import("./doctor/doctor.js")).examine({ env, paths, user, uid, podrt: source }),
    close: async () => {
      const opened = manager;
      // A later call opens anew: the watcher closes between two applies.
      manager = undefined;
      await opened?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
}

/** The same promise at every call. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
