// What a web server is asked, as podrt reads it: of probes and of hooks.
import type { HttpGet } from "../../plan/types.js";
import type { Json } from "./json.js";

export function askedOf({ host, port, path, tls, headers }: HttpGet): Json {
  return { host, port, path, tls, headers: headers.map((pair) => [...pair]) };
}
