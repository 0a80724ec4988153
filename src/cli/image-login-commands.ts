// The rows of `podgen image login` and `logout`.
import type { CommandSpec, OptionSpec } from "./commands.js";

const authfile: OptionSpec = { name: "authfile", type: "string", describe: "the file with logins, instead of the usual one" };

export const LOGIN_COMMANDS: readonly CommandSpec[] = [
  {
    name: "image login",
    positionals: "[registry]",
    describe: "log in to a registry, and remember it",
    options: [
      { name: "username", alias: "u", type: "string", describe: "the user's name there" },
      { name: "password-stdin", type: "boolean", describe: "read the password from standard input" },
      { name: "password", alias: "p", type: "string", describe: "the password; others on this machine can see it while podgen runs" },
      authfile,
      { name: "tls-verify", type: "boolean", describe: "insist on TLS and a valid certificate (--no-tls-verify: do not)", default: true },
      { name: "get-login", type: "boolean", describe: "print who is logged in, and do nothing" },
      { name: "verbose", alias: "v", type: "boolean", describe: "say where the login is kept" },
    ],
    examples: [
      ["podgen image login quay.io", "asks for name and password"],
      ["podgen image login -u robot --password-stdin registry.example:5000 < token", "in a script"],
    ],
    load: () => import("./commands/image/login.js"),
  },
  {
    name: "image logout",
    positionals: "[registry]",
    describe: "forget the login for a registry",
    options: [authfile, { name: "all", alias: "a", type: "boolean", describe: "forget all logins of the file" }],
    examples: [["podgen image logout quay.io", "that one"]],
    load: () => import("./commands/image/logout.js"),
  },
];
