// Lifecycle of a container: its hooks and its stop signal.
import type { Reader } from "../../spec/reader.js";
import type { Container, Hook, Port } from "../types.js";
import { readHttp } from "./probes.js";

/** The handlers of a hook, of which exactly one is given (rules/hooks.ts). */
export const HANDLERS = ["exec", "httpGet", "sleep", "tcpSocket"] as const;

export function readLifecycle(reader: Reader | undefined, ports: readonly Port[]): Pick<Container, "stopSignal" | "postStart" | "preStop"> {
  const stopSignal = reader?.text("stopSignal");
  const postStart = readHook(reader?.object("postStart"), ports);
  const preStop = readHook(reader?.object("preStop"), ports);
  return {
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(postStart === undefined ? {} : { postStart }),
    ...(preStop === undefined ? {} : { preStop }),
  };
}

function readHook(reader: Reader | undefined, ports: readonly Port[]): Hook | undefined {
  const command = reader?.object("exec")?.texts("command");
  if (command !== undefined) return { kind: "exec", command };
  const http = reader?.object("httpGet");
  if (http !== undefined) return readHttp(http, ports);
  const seconds = reader?.object("sleep")?.integer("seconds");
  return seconds === undefined ? undefined : { kind: "sleep", seconds };
}
