// A container's own restart policy, and its rules by exit code.
import type { Reader } from "../../spec/reader.js";
import type { Container, RestartPolicy, RestartRule } from "../types.js";
import { integersOf } from "./integers.js";

export function readRestart(reader: Reader, init: boolean): Pick<Container, "sidecar" | "restartPolicy" | "restartRules"> {
  const policy = reader.text("restartPolicy") as RestartPolicy | undefined;
  const rules = reader.objects("restartPolicyRules").map(readRule);
  return {
    ...(init && policy === "Always" ? { sidecar: true as const } : {}),
    ...(policy === undefined ? {} : { restartPolicy: policy }),
    ...(rules.length === 0 ? {} : { restartRules: rules }),
  };
}

function readRule(reader: Reader): RestartRule {
  const codes = reader.object("exitCodes");
  return { in: codes?.text("operator") !== "NotIn", codes: integersOf(codes?.get("values")) };
}
