// Names of systemd's D-Bus interface (org.freedesktop.systemd1(5)) and the calls made from them.
import type { Call } from "../dbus/connection.js";
import type { Sendable } from "../dbus/writer.js";

export const SYSTEMD = "org.freedesktop.systemd1";
export const MANAGER_PATH = "/org/freedesktop/systemd1";
export const MANAGER = "org.freedesktop.systemd1.Manager";
export const UNIT = "org.freedesktop.systemd1.Unit";
export const PROPERTIES = "org.freedesktop.DBus.Properties";

/** A method of the manager object. */
export function managerCall(member: string, signature = "", body: readonly Sendable[] = []): Call {
  return { destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER, member, signature, body };
}

/** One property of an object. */
export function getCall(path: string, iface: string, property: string): Call {
  return { destination: SYSTEMD, path, interface: PROPERTIES, member: "Get", signature: "ss", body: [iface, property] };
}

/** All properties of an interface; of all of the object's interfaces when it is empty. */
export function getAllCall(path: string, iface: string): Call {
  return { destination: SYSTEMD, path, interface: PROPERTIES, member: "GetAll", signature: "s", body: [iface] };
}

/** Errors that mean "the manager is not on the bus just now", as while it executes itself anew. */
const AWAY = new Set(["NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected"].map((e) => `org.freedesktop.DBus.Error.${e}`));

export function isAway(code: string): boolean {
  return AWAY.has(code) || code.startsWith("org.freedesktop.DBus.Error.Spawn.");
}
