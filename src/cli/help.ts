// `podgen --help`: the command table as text. A command's own help is yargs' (usage.ts), which takes longer to load.
import { type CommandSpec, GROUPS, membersOf } from "./commands.js";

/** One line per command of one word, as they stand in the table, and one per group. */
export function overview(): string {
  const name = (spec: CommandSpec): string => [spec.name, spec.positionals].filter(Boolean).join(" ");
  const rows = [
    ...membersOf("").map((c) => [name(c), c.describe] as const),
    ...Object.entries(GROUPS).map(([group, what]) => [`${group} COMMAND`, `${what} (podgen ${group} --help)`] as const),
    ["completion", "print a completion script for bash or zsh"] as const,
  ];
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    "podgen COMMAND\n\nKubernetes pod YAML, run by systemd. No daemon, no engine.\n\nCommands:\n",
    ...rows.map(([left, right]) => `  podgen ${left.padEnd(width)}${right}\n`),
    "\nEvery command has --help and a page: man podgen-COMMAND\n",
  ].join("");
}
