// Certificate authorities: the system's, and those of one registry from certs.d (containers-certs.d(5)).
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

// Where distributions keep the bundle that update-ca-certificates and its like write.
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/** The folders looked into for `host:port`, first found wins. */
export function certificateFolders(host: string, env: Env): string[] {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  const roots = [...(config === undefined ? [] : [join(config, "containers/certs.d")]), "/etc/containers/certs.d", "/etc/docker/certs.d"];
  return roots.map((root) => join(root, host));
}

/** True when somebody made a folder for this registry in certs.d. */
export async function hasCertificates(host: string, env: Env): Promise<boolean> {
  for (const folder of certificateFolders(host, env)) {
    if ((await readdir(folder).catch(() => undefined)) !== undefined) return true;
  }
  return false;
}

/**
 * PEM texts to trust for a registry: the machine's bundle and every *.crt of the registry's own folder. undefined: there is
 * neither, Node's built-in ones must do. A file that cannot be read is left out: the handshake then says what is missing.
 */
export async function authoritiesFor(host: string, env: Env): Promise<string[] | undefined> {
  const own: string[] = [];
  for (const folder of certificateFolders(host, env)) {
    const names = await readdir(folder).catch(() => undefined);
    if (names === undefined) continue;
    for (const name of names.filter((n) => n.endsWith(".crt")).sort()) {
      const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
      if (text !== undefined) own.push(text);
    }
    break;
  }
  for (const bundle of [env["SSL_CERT_FILE"], ...BUNDLES]) {
    if (!bundle) continue;
    const text = await readFile(bundle, "utf8").catch(() => undefined);
    if (text !== undefined) return [text, ...own];
  }
  if (own.length === 0) return undefined;
  // `ca` replaces what Node trusts, so its own list has to be named.
  const { rootCertificates } = await import("node:tls");
  return [...rootCertificates, ...own];
}
