// Logins for registries, as people make and drop them. Implemented by host/image/login.ts.
import type { Credentials } from "../base/registry-login.js";

export interface LoginOptions {
  /** The file to use instead of the usual one. */
  readonly authFile?: string;
  /** False: any certificate will do, and plain HTTP too. */
  readonly tlsVerify: boolean;
}

export interface LoggedIn {
  /** The registry, `host[:port][/namespace…]`. */
  readonly registry: string;
  readonly username: string;
  /** The file, or the helper; absent where nothing was stored. */
  readonly place?: string;
  /** False: the registry lets anybody in and said nothing of the login. */
  readonly verified: boolean;
}

/** Registries are `host[:port][/namespace…]`; absent: the first of unqualified-search-registries. All throw ImageError. */
export interface Logins {
  /** The registry that is meant. Throws ImageError image-bad for what is none. */
  registry(name: string | undefined): Promise<string>;
  /** Who is logged in, by whatever file; undefined: nobody. */
  who(registry: string, options: LoginOptions): Promise<Credentials | undefined>;
  /** Asks the registry whether it takes the login, and only then stores it (unless `keep` is false). */
  login(registry: string, credentials: Credentials, options: LoginOptions, keep?: boolean): Promise<LoggedIn>;
  /** Drops a login; undefined for `registry`: all of the file. What was dropped, empty where there was none. */
  logout(registry: string | undefined, options: LoginOptions): Promise<readonly string[]>;
  /** Files that have a login for the registry though the usual one has none: logout does not touch them. */
  elsewhere(registry: string, options: LoginOptions): Promise<readonly string[]>;
}
