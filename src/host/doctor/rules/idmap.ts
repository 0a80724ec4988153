// newuidmap and newgidmap: there, and with the privilege they need (newuidmap(1)).
import { fail, type Outcome, ok, warn } from "../outcome.js";

export interface IdmapFacts {
  readonly programs: readonly IdmapProgram[];
  /** The install command of the package. */
  readonly install: string;
  /** This process, and so podgen, runs with no_new_privs: no program can gain a privilege. */
  readonly noNewPrivs: boolean;
}

export interface IdmapProgram {
  readonly name: "newuidmap" | "newgidmap";
  /** Undefined where it is not on PATH. */
  readonly path: string | undefined;
  readonly setuidRoot: boolean;
  /** What getcap(8) says of the file; undefined where there is no getcap. */
  readonly capabilities: string | undefined;
  /** Its file system is mounted nosuid. */
  readonly nosuid: boolean;
}

export function decideIdmap({ programs, install, noNewPrivs }: IdmapFacts): Outcome {
  const missing = programs.filter((program) => program.path === undefined);
  if (missing.length > 0) return fail(`no ${missing.map((program) => program.name).join(", no ")} on PATH`, install);
  if (noNewPrivs) return fail("this session runs with no_new_privs, so that newuidmap cannot work: log in anew, outside of any sandbox");
  for (const { name, path, setuidRoot, capabilities, nosuid } of programs) {
    const wanted = name === "newuidmap" ? "cap_setuid" : "cap_setgid";
    if (nosuid)
      return fail(`${path} is on a file system mounted nosuid`, `sudo mount -o remount,suid "$(findmnt -no TARGET --target ${path})"`);
    if (setuidRoot) continue;
    if (capabilities === undefined) return warn(`${path} is not setuid root, and without getcap its capabilities cannot be read`);
    if (!capabilities.includes(wanted)) return fail(`${path} has neither setuid root nor ${wanted}`, `sudo setcap ${wanted}=ep ${path}`);
  }
  return ok(programs.map((program) => program.path).join(", "));
}
