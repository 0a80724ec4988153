// Verifies OpenPGP messages with gpgv (GnuPG), which trusts every key of the rings it is given and nothing else.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { printable } from "../json.js";
import { Rejection } from "./rejection.js";
import { SIGNATURE_MAX } from "./signature.js";

type Env = Readonly<Record<string, string | undefined>>;

/** gpgv does nothing but arithmetic. Milliseconds. */
const DEADLINE = 30_000;
const STATUS_MAX = 64 * 1024;

/** gpgv is not there, or cannot be started. */
export class NoGpgv extends Error {}

/** What one run said: the signed bytes, or why not. `revoked` counts against the key in whichever ring that is said. */
type Verdict = { readonly signed: Uint8Array } | { readonly why: string; readonly revoked: boolean };

interface Output {
  readonly code: number | undefined;
  readonly out: Buffer;
  readonly status: string;
  readonly late: boolean;
}

/**
 * What `message` signs, if one good signature is on it, of a key in one of `rings` (binary) that is neither expired nor revoked. Throws
 * Rejection, or NoGpgv. The files it needs are in a folder of their own, which nobody else can read and which is gone afterwards.
 */
export async function verifyMessage(message: Uint8Array, rings: readonly Uint8Array[], env: Env): Promise<Uint8Array> {
  const folder = await mkdtemp(join(env["XDG_RUNTIME_DIR"] || tmpdir(), "podgen-gpgv-"));
  try {
    await writeFile(join(folder, "signature"), message, { mode: 0o600 });
    const verdicts: Verdict[] = [];
    for (const [i, ring] of rings.entries()) {
      await writeFile(join(folder, `ring-${i}.gpg`), ring, { mode: 0o600 });
      verdicts.push(judge(await runGpgv(folder, `ring-${i}.gpg`, env)));
    }
    const good = verdicts.find((verdict) => "signed" in verdict);
    const bad = verdicts.filter((verdict) => "why" in verdict);
    const revoked = bad.find((verdict) => verdict.revoked);
    if (good === undefined || revoked !== undefined)
      throw new Rejection(revoked?.why ?? bad.find((verdict) => verdict.why !== UNKNOWN_KEY)?.why ?? UNKNOWN_KEY);
    return good.signed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const UNKNOWN_KEY = "none of the policy's keys made it";
/** Status lines that say what is wrong (GnuPG, doc/DETAILS), the first that fits is told. */
const WRONG: readonly (readonly [keyword: string, why: string])[] = [
  ["REVKEYSIG", "its key is revoked"],
  ["EXPKEYSIG", "its key has expired"],
  ["EXPSIG", "it has expired"],
  ["BADSIG", "it does not fit what it signs"],
  ["NO_PUBKEY", UNKNOWN_KEY],
  ["NODATA", "it is no OpenPGP signature"],
];
/** Each exactly once in the status of a message that one key signed. */
const ONCE = ["PLAINTEXT", "NEWSIG", "GOODSIG", "VALIDSIG"];

/** gpgv ends with 0 for keys that have expired or are revoked, too: only its status lines count, and every one of them. Pure. */
function judge({ code, out, status, late }: Output): Verdict {
  const lines = status.split("\n").flatMap((line) => (line.startsWith("[GNUPG:] ") ? [line.slice(9).split(" ")] : []));
  const keywords = lines.map(([keyword = ""]) => keyword);
  const wrong = WRONG.find(([keyword]) => keywords.includes(keyword));
  if (wrong !== undefined) return { why: wrong[1], revoked: wrong[0] === "REVKEYSIG" };
  const refused = (why: string): Verdict => ({ why, revoked: false });
  if (late) return refused(`gpgv took longer than ${DEADLINE / 1000} s, or it signs more than ${SIGNATURE_MAX} bytes`);
  const odd = ONCE.find((keyword) => keywords.filter((k) => k === keyword).length !== 1);
  if (odd !== undefined) return refused(`it is not one message with one signature (${odd})`);
  if (code !== 0 || keywords.includes("ERRSIG")) return refused(`gpgv does not call it good (exit code ${code})`);
  const length = lines.find(([keyword]) => keyword === "PLAINTEXT_LENGTH")?.[1];
  if (length !== undefined && Number(length) !== out.length) return refused("gpgv gave not all that it signs");
  return { signed: out };
}

function runGpgv(folder: string, ring: string, env: Env): Promise<Output> {
  const args = ["--homedir", folder, "--keyring", join(folder, ring), "--status-fd", "3", "--output", "-", join(folder, "signature")];
  return new Promise((resolve, reject) => {
    // Nothing of the user's own GnuPG: no options, no rings.
    const child = spawn("gpgv", args, {
      env: { PATH: env["PATH"] ?? process.env["PATH"], LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore", "pipe"],
    });
    let late = false;
    const stop = () => {
      late = true;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(stop, DEADLINE);
    const out = collect(child.stdout as NodeJS.ReadableStream, SIGNATURE_MAX, stop);
    const status = collect(child.stdio[3] as unknown as NodeJS.ReadableStream, STATUS_MAX, stop);
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new NoGpgv(error.code === "ENOENT" ? "there is no gpgv" : `gpgv cannot be started: ${printable(error.message)}`));
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? undefined, out: out(), status: status().toString("latin1"), late });
    });
  });
}

/** What a stream brings, `max` bytes at most: then `stop` is called. */
function collect(stream: NodeJS.ReadableStream, max: number, stop: () => void): () => Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  stream.on("data", (piece: Buffer) => {
    length += piece.length;
    if (length > max) stop();
    else pieces.push(piece);
  });
  return () => Buffer.concat(pieces);
}
