// Reads the truth of units: properties over D-Bus to UnitState.
import type { UnitState } from "../../base/installed.js";
import type { Detail, Listed as ListedUnit, Look } from "../../ports/manager.js";
import type { Connection } from "../dbus/connection.js";
import type { Value } from "../dbus/reader.js";
import { getAllCall, getCall, managerCall, UNIT } from "./names.js";

/** Calls in flight at once: enough to keep the manager busy, few enough that none waits long for its turn. */
const AT_ONCE = 64;

const UNIT_PROPERTIES = [
  "Id",
  "LoadState",
  "LoadError",
  "ActiveState",
  "SubState",
  "UnitFileState",
  "FragmentPath",
  "NeedDaemonReload",
  "InvocationID",
  "Job",
];
const SERVICE_PROPERTIES = ["Result", "MainPID", "ExecMainCode", "ExecMainStatus", "NRestarts", "StatusText", "ActiveEnterTimestamp"];
const NEXT = "NextElapseUSecRealtime";
const WANTED: ReadonlySet<string> = new Set([...UNIT_PROPERTIES, ...SERVICE_PROPERTIES, NEXT]);

/** A row of ListUnitsBy…: name, description, load, active, sub, followed unit, object path, job id, type, path. */
interface Listed extends ListedUnit {
  readonly path: string;
}

const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");
// Timestamps are microseconds since 1970 as uint64, below 2^53 for the next 200 years.
const number = (value: Value | undefined): number => (typeof value === "number" || typeof value === "bigint" ? Number(value) : 0);

const hex = (value: Value | undefined): string =>
  Array.isArray(value) ? value.map((byte) => Number(byte).toString(16).padStart(2, "0")).join("") : "";

/** UnitState from properties as GetAll gives them. */
export function unitState(properties: ReadonlyMap<string, Value>): UnitState {
  const name = text(properties.get("Id"));
  const invocation = hex(properties.get("InvocationID"));
  // Name and message of an error; both empty where there is none.
  const loadError = properties.get("LoadError");
  // Its number, 0 for none, and object path.
  const job = properties.get("Job");
  const message = Array.isArray(loadError) ? text(loadError[1]) : "";
  const unit: UnitState = {
    name,
    loadState: text(properties.get("LoadState")),
    ...(message === "" ? {} : { loadError: message }),
    activeState: text(properties.get("ActiveState")),
    subState: text(properties.get("SubState")),
    unitFileState: text(properties.get("UnitFileState")),
    fragmentPath: text(properties.get("FragmentPath")),
    needDaemonReload: properties.get("NeedDaemonReload") === true,
    ...(Array.isArray(job) && number(job[0]) !== 0 ? { hasJob: true as const } : {}),
    ...(invocation === "" ? {} : { invocation }),
  };
  if (name.endsWith(".timer")) {
    // One that is never has the largest number.
    const next = number(properties.get(NEXT));
    return next > 0 && Number.isSafeInteger(next) ? { ...unit, nextElapse: next } : unit;
  }
  if (!name.endsWith(".service")) return unit;
  return {
    ...unit,
    service: {
      result: text(properties.get("Result")),
      mainPid: number(properties.get("MainPID")),
      execMainCode: number(properties.get("ExecMainCode")),
      execMainStatus: number(properties.get("ExecMainStatus")),
      restarts: number(properties.get("NRestarts")),
      statusText: text(properties.get("StatusText")),
      activeEnter: number(properties.get("ActiveEnterTimestamp")),
    },
  };
}

/** The state of the unit at an object path. */
async function readFull(connection: Connection, path: string, name: string): Promise<UnitState> {
  // Of services and timers all interfaces in one call; of others only Unit's, since theirs would make the manager read cgroups.
  const reply = await connection.call(getAllCall(path, /\.(service|timer)$/.test(name) ? "" : UNIT));
  return unitState(reply.bodyReader().properties(WANTED));
}

/** What a listing gives for nothing. */
function asState({ path: _, job, ...listed }: Listed): UnitState {
  return { ...listed, ...(job === 0 ? {} : { hasJob: true as const }), unitFileState: "", fragmentPath: "", needDaemonReload: false };
}

/** With the three properties that a listing lacks. */
async function readBrief(connection: Connection, listed: Listed): Promise<UnitState> {
  const get = async (property: string) => (await connection.call(getCall(listed.path, UNIT, property))).body()[0];
  const [fileState, fragment, reload] = await Promise.all([get("UnitFileState"), get("FragmentPath"), get("NeedDaemonReload")]);
  return { ...asState(listed), unitFileState: text(fileState), fragmentPath: text(fragment), needDaemonReload: reload === true };
}

/** One unit, loaded if need be. Rejects with DbusError for names that cannot be units. */
export async function readUnit(connection: Connection, name: string): Promise<UnitState> {
  const reply = await connection.call(managerCall("LoadUnit", "s", [name]));
  return readFull(connection, reply.bodyReader().string(), name);
}

/** All loaded units that match a pattern. */
export async function listUnits(
  connection: Connection,
  patterns: readonly string[],
  detail: (unit: ListedUnit) => Detail,
): Promise<UnitState[]> {
  const reply = await connection.call(managerCall("ListUnitsByPatterns", "asas", [[], patterns]));
  const [rows] = reply.body();
  const listed = (Array.isArray(rows) ? rows : []).map(asListed);
  return mapBounded(listed, (unit): UnitState | Promise<UnitState> => {
    const wanted = detail(unit);
    if (wanted === "listed") return asState(unit);
    return wanted === "brief" ? readBrief(connection, unit) : readFull(connection, unit.path, unit.name);
  });
}

/** These units, and the full state of those for which `more` holds. */
export async function lookAtUnits(
  connection: Connection,
  names: readonly string[],
  more: (unit: ListedUnit) => boolean,
): Promise<readonly Look[]> {
  // No names would be taken for all units.
  if (names.length === 0) return [];
  const [rows] = (await connection.call(managerCall("ListUnitsByNames", "as", [names]))).body();
  return mapBounded((Array.isArray(rows) ? rows : []).map(asListed), async ({ path, ...listed }) =>
    more(listed) ? { listed, state: await readFull(connection, path, listed.name) } : { listed },
  );
}

function asListed(row: Value): Listed {
  const [name, , loadState, activeState, subState, , path, job] = Array.isArray(row) ? row : [];
  return {
    name: text(name),
    loadState: text(loadState),
    activeState: text(activeState),
    subState: text(subState),
    job: number(job),
    path: text(path),
  };
}

/** Promise.all over items, with at most AT_ONCE under way; order is kept. */
async function mapBounded<T, R>(items: readonly T[], work: (item: T) => R | Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [i, item] of queue) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}
