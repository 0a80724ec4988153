// Certificates for one registry: authorities to trust and our own to show (containers-certs.d(5)).
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../ports/images.js";

type Env = Readonly<Record<string, string | undefined>>;

// Where distributions keep the bundle that update-ca-certificates and its like write.
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/** The folders looked into for `host:port`, first found wins. */
export function certificateFolders(host: string, env: Env): string[] {
  const config = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  const roots = [...(config === undefined ? [] : [join(config, "containers/certs.d")]), "/etc/containers/certs.d", "/etc/docker/certs.d"];
  return roots.map((root) => join(root, host));
}

/** With whom TLS is spoken, and as whom. */
export interface Trust {
  /** PEM; absent: Node's own authorities. */
  readonly ca?: readonly string[];
  /** Client certificates and their keys, PEM, pair by pair. */
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  /** Any certificate will do, and plain HTTP too. */
  readonly insecure?: boolean;
}

/** Everything certs.d and the machine say of `host:port`. Throws ImageError image-config for a client certificate that is not whole. */
export async function trustFor(host: string, env: Env): Promise<Trust> {
  const [ca, pairs] = await Promise.all([authoritiesFor(host, env), clientCertificates(host, env)]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(pairs.length === 0 ? {} : { cert: pairs.map((p) => p.cert), key: pairs.map((p) => p.key) }),
  };
}

/** NAME.cert with NAME.key of the first folder there is; one without the other would be left out in silence and is refused. */
export async function clientCertificates(host: string, env: Env): Promise<{ cert: string; key: string }[]> {
  for (const folder of certificateFolders(host, env)) {
    const names = await readdir(folder).catch(() => undefined);
    if (names === undefined) continue;
    const stems = [...new Set(names.flatMap((n) => /^(.+)\.(?:cert|key)$/.exec(n)?.[1] ?? []))].sort();
    const read = async (name: string): Promise<string> => {
      try {
        return await readFile(join(folder, name), "utf8");
      } catch (error) {
        const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "is missing" : "cannot be read";
        const hint = "A client certificate is NAME.cert and NAME.key, both readable by the user; an authority is NAME.crt.";
        throw new ImageError("image-config", host, `${join(folder, name)} ${why}`, hint, error);
      }
    };
    return Promise.all(stems.map(async (stem) => ({ cert: await read(`${stem}.cert`), key: await read(`${stem}.key`) })));
  }
  return [];
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
