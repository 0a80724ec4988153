// docker-credential-NAME: programs that keep passwords (docker/docker-credential-helpers, "Development").
import type { Credentials } from "../../base/registry-login.js";
import { ImageError } from "../../ports/images.js";
import { run } from "../process/run.js";
import { isObject, parseJson, printable } from "./json.js";

type Env = Readonly<Record<string, string | undefined>>;

/** A helper may ask a person to unlock a key ring, but not for ever. Milliseconds. */
const DEADLINE = 60_000;
/** What a helper says for a registry it does not know; the protocol has no other sign of it. */
const UNKNOWN = /credentials not found/i;
/** The user name that says the secret is an identity token. */
const TOKEN_USER = "<token>";

/** Throws ImageError image-unauthorized where the program is not there, fails or answers nonsense; never with its secrets. */
export class CredentialHelper {
  readonly #name: string;
  readonly #env: Env;
  readonly #deadline: number;

  /** `name` as in credHelpers and credsStore: the program is docker-credential-NAME, of PATH. */
  constructor(name: string, env: Env, deadline = DEADLINE) {
    this.#name = name;
    this.#env = env;
    this.#deadline = deadline;
  }

  /** undefined: it has none. */
  async get(server: string): Promise<Credentials | undefined> {
    const text = await this.#ask("get", server);
    if (text === undefined) return undefined;
    const json = parseJson(Buffer.from(text));
    const { Username: username, Secret: password } = isObject(json) ? json : {};
    if (typeof username !== "string" || typeof password !== "string")
      throw this.#failed("get", server, "its answer is not the JSON it should be");
    return username === TOKEN_USER ? { username: "", password: "", identityToken: password } : { username, password };
  }

  async store(server: string, { username, password }: Credentials): Promise<void> {
    await this.#ask("store", JSON.stringify({ ServerURL: server, Username: username, Secret: password }), server);
  }

  /** False: it had none. */
  async erase(server: string): Promise<boolean> {
    return (await this.#ask("erase", server)) !== undefined;
  }

  /** What it prints; undefined when it says that it does not know the server. */
  async #ask(verb: string, input: string, server = input): Promise<string | undefined> {
    // It becomes part of a program's name: nothing that leads to another folder.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(this.#name)) throw this.#failed(verb, server, "that is no name of a helper");
    const { code, stdout, stderr, failure } = await run([`docker-credential-${this.#name}`, verb], this.#deadline, this.#env, {
      input: `${input}\n`,
    });
    if (failure !== undefined) throw this.#failed(verb, server, failure);
    if (code === 0) return stdout;
    if (UNKNOWN.test(stdout) || UNKNOWN.test(stderr)) return undefined;
    // On a failure of `get` and `erase` its output is a message; of `store` it could repeat what it was given.
    const said = verb === "store" ? "" : printable(stdout || stderr);
    throw this.#failed(verb, server, `exit code ${code}${said === "" ? "" : `: ${said}`}`);
  }

  #failed(verb: string, server: string, why: string): ImageError {
    const text = `${printable(server)}: docker-credential-${printable(this.#name)} ${verb}: ${why}`;
    return new ImageError("image-unauthorized", server, text, "Mend the helper, or take it out of credHelpers and credsStore.");
  }
}
