// A registry over node:http that keeps to the protocol until a test's `answer` does otherwise.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { sha256, type TinyImage } from "./tiny-image.js";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

export class OddRegistry {
  /** By digest. */
  readonly blobs = new Map<string, Buffer>();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  readonly seen: Seen[] = [];
  /** Returns true when it has answered, or means not to answer at all. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server: Server = createServer((request, response) => this.#serve(request, response));
  #port = 0;

  /** Listens on a free port of 127.0.0.1. */
  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : 0;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Serves an image as `name:latest`; returns its reference. */
  add(name: string, image: TinyImage): string {
    for (const blob of [image.config, ...image.layers.map((l) => l.blob)]) this.blobs.set(sha256(blob), blob);
    return this.addManifest(name, image.manifest, "application/vnd.oci.image.manifest.v1+json");
  }

  addManifest(name: string, bytes: Buffer, type: string): string {
    this.manifests.set(`${name}:latest`, { bytes, type }).set(`${name}@${sha256(bytes)}`, { bytes, type });
    return `${this.host}/${name}:latest`;
  }

  /** What was sent of an upload so far stays, whatever happens to the connection. */
  readonly #uploads = new Map<string, Buffer[]>();

  /** Requests for blobs, as `METHOD path [range]`. */
  blobRequests(digest?: string): Seen[] {
    return this.seen.filter((s) => s.path.includes("/blobs/") && (digest === undefined || s.path.endsWith(digest)));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    this.seen.push({ method, path: url, authorization: headers.authorization, range: headers["content-range"] ?? headers.range });
    if (this.answer(request, response)) return;
    if (method !== "GET" && method !== "HEAD") return void this.#take(request, response);
    const upload = this.#uploads.get(url.split("?")[0] ?? "");
    if (upload !== undefined) return void response.writeHead(204, this.#placeOf(url, upload)).end();
    const [, name = "", kind, what = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    if (kind === "manifests") {
      const found = this.manifests.get(what.includes(":") ? `${name}@${what}` : `${name}:${what}`);
      if (found === undefined) return void refuse(response, 404, "MANIFEST_UNKNOWN");
      response.writeHead(200, {
        "content-type": found.type,
        "content-length": found.bytes.length,
        "docker-content-digest": sha256(found.bytes),
      });
      return void response.end(method === "HEAD" ? undefined : found.bytes);
    }
    const blob = this.blobs.get(what);
    if (kind !== "blobs" || blob === undefined) return void refuse(response, 404, "BLOB_UNKNOWN");
    sendBlob(response, blob, headers.range);
  }

  /** Uploads and manifests (distribution-spec, "Push"); mounts are not known. */
  #take(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    const path = url.split("?")[0] ?? "";
    if (method === "POST") {
      const place = `${path}${this.seen.length}`;
      this.#uploads.set(place, []);
      return void response.writeHead(202, { location: place }).end();
    }
    const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path);
    const parts = manifest === null ? this.#uploads.get(path) : [];
    if (parts === undefined) return void refuse(response, 404, "BLOB_UPLOAD_UNKNOWN");
    const before = length(parts);
    const from = /^(\d+)-/.exec(headers["content-range"] ?? "")?.[1];
    if (from !== undefined && Number(from) !== before) return void refuse(response, 416, "RANGE_INVALID");
    request.on("data", (piece: Buffer) => parts.push(piece));
    request.on("end", () => {
      const bytes = Buffer.concat(parts);
      if (manifest !== null) {
        const [, name = "", reference = ""] = manifest;
        const entry = { bytes, type: headers["content-type"] ?? "" };
        this.manifests.set(`${name}@${sha256(bytes)}`, entry);
        if (!reference.includes(":")) this.manifests.set(`${name}:${reference}`, entry);
        return void response.writeHead(201).end();
      }
      if (method === "PATCH") return void response.writeHead(202, this.#placeOf(path, parts)).end();
      const digest = new URL(url, "http://x").searchParams.get("digest") ?? "";
      if (sha256(bytes) !== digest) return void refuse(response, 400, "DIGEST_INVALID");
      this.blobs.set(digest, bytes);
      this.#uploads.delete(path);
      response.writeHead(201).end();
    });
  }

  #placeOf(url: string, parts: readonly Buffer[]): Record<string, string> {
    return { location: url, range: `0-${Math.max(0, length(parts) - 1)}` };
  }
}

function length(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** An error as the distribution specification has it. */
export function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}

/** A blob, or the rest of it from `range` on. */
export function sendBlob(response: ServerResponse, blob: Buffer, range: string | undefined): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const total = blob.length;
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": total - from,
    ...(from > 0 ? { "content-range": `bytes ${from}-${total - 1}/${total}` } : {}),
  });
  response.end(blob.subarray(from));
}
