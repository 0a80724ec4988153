// What the user's manager and podrt itself say of units, from the journal; not what containers write.
import { userInfo } from "node:os";
import type { Remark, RemarkQuery } from "../../ports/journal.js";
import { fieldText, parseObject } from "./entry.js";
import { journalJson } from "./run.js";

const FIELDS = ["MESSAGE", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "USER_UNIT", "EXIT_CODE", "EXIT_STATUS", "N_RESTARTS"];

/** Undefined for what is about no unit. Broken JSON is none either: a killed journalctl may end in the middle of it. */
export function parseRemark(json: string): Remark | undefined {
  const fields = parseObject(json);
  const of = (name: string): string => fieldText(fields?.[name]);
  if (fields === undefined || of("USER_UNIT") === "") return undefined;
  return {
    time: Number(of("__REALTIME_TIMESTAMP")),
    unit: of("USER_UNIT"),
    identifier: of("SYSLOG_IDENTIFIER"),
    messageId: of("MESSAGE_ID"),
    message: of("MESSAGE"),
    exitCode: of("EXIT_CODE"),
    exitStatus: of("EXIT_STATUS"),
    restarts: of("N_RESTARTS"),
  };
}

/** In order; ends by itself unless `follow`. Throws JournalError. */
export async function* readRemarks(env: NodeJS.ProcessEnv, query: RemarkQuery, signal?: AbortSignal): AsyncGenerator<Remark> {
  const since = query.since === undefined ? [] : ["--since", query.since];
  // Names of units are no matches here: one that comes up while we follow would not be among them.
  const matches = [`_UID=${userInfo().uid}`, "SYSLOG_IDENTIFIER=systemd", "SYSLOG_IDENTIFIER=podrt"];
  const follow = query.follow ? ["--follow", query.past ? "--no-tail" : "--lines=0"] : [];
  for await (const line of journalJson(env, FIELDS, [...since, ...follow, ...matches], signal)) {
    const remark = parseRemark(line);
    if (remark !== undefined) yield remark;
  }
}
