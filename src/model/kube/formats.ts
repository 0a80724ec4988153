// Formats of names, paths and addresses in Kubernetes objects: each says what is wrong with a text, or nothing.
import type { Problem } from "../../spec/report.js";
import { parseAddress } from "./address.js";

const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const QUALIFIED_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** The name in the form it must have, where that is plain: lower case, `-` for `_`. */
function lowered(text: string, valid: RegExp): Pick<Problem, "hint"> {
  const better = text.toLowerCase().replace(/[_ ]/g, "-");
  return better !== text && valid.test(better) ? { hint: `use "${better}"` } : {};
}

/** RFC 1123 label: names of containers, volumes, namespaces. */
export function dnsLabel(text: string): Problem | undefined {
  if (text.length > 63) return { problem: `is longer than 63 characters (${text.length})` };
  if (DNS_LABEL.test(text)) return undefined;
  return {
    problem: "is not a valid name: lower-case letters, digits and -, with a letter or digit at both ends",
    ...lowered(text, DNS_LABEL),
  };
}

/** RFC 1123 subdomain: names of objects. */
export function dnsSubdomain(text: string): Problem | undefined {
  if (text.length > 253) return { problem: `is longer than 253 characters (${text.length})` };
  if (DNS_SUBDOMAIN.test(text)) return undefined;
  return {
    problem: "is not a valid name: lower-case letters, digits, - and ., with a letter or digit at both ends",
    ...lowered(text, DNS_SUBDOMAIN),
  };
}

/** RFC 6335 service name: port names. */
export function portName(text: string): Problem | undefined {
  if (text.length > 15) return { problem: `is longer than 15 characters (${text.length})` };
  if (/^[a-z0-9-]+$/.test(text) && /[a-z]/.test(text) && !/^-|-$|--/.test(text)) return undefined;
  return { problem: "is not a port name: lower-case letters, digits and single -, with at least one letter" };
}

/** Keys of labels and annotations: `name` or `domain/name`. */
export function labelKey(text: string): Problem | undefined {
  const slash = text.indexOf("/");
  const domain = slash < 0 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (domain !== undefined && (!DNS_SUBDOMAIN.test(domain) || domain.length > 253))
    return { problem: `has no valid domain before the "/"` };
  if (name.length <= 63 && QUALIFIED_NAME.test(name)) return undefined;
  return { problem: "is not a valid key: at most 63 letters, digits, -, _ and ., with a letter or digit at both ends" };
}

export function labelValue(text: string): Problem | undefined {
  if (text === "" || (text.length <= 63 && QUALIFIED_NAME.test(text))) return undefined;
  return { problem: "is not a label value: at most 63 letters, digits, -, _ and ., with a letter or digit at both ends" };
}

/** Names of environment variables: anything printable in ASCII but `=` (Kubernetes since 1.34). */
export function envName(text: string): Problem | undefined {
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(text)) return undefined;
  return { problem: "is not the name of an environment variable: printable ASCII characters other than =" };
}

/** Like envName, and may be empty: the prefix of envFrom. */
export function envPrefix(text: string): Problem | undefined {
  return text === "" ? undefined : envName(text);
}

/** Keys of ConfigMaps and Secrets: they become file names. */
export function dataKey(text: string): Problem | undefined {
  if (text.length > 253) return { problem: `is longer than 253 characters (${text.length})` };
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) return { problem: "is not a valid key: letters, digits, -, _ and . only" };
  if (text === "." || text.startsWith("..")) return { problem: 'may not be "." or start with ".."' };
  return undefined;
}

function noBacksteps(text: string): Problem | undefined {
  if (text.includes("\0")) return { problem: "contains a null character" };
  if (text.split("/").includes("..")) return { problem: 'may not contain ".."' };
  return undefined;
}

/** A path from the root, without `..`. */
export function absolutePath(text: string): Problem | undefined {
  if (!text.startsWith("/")) return { problem: "is not an absolute path", ...(/^[~.]?\w/.test(text) ? { hint: "start it with /" } : {}) };
  return noBacksteps(text);
}

/** Where a volume is mounted: not on the root itself; Kubernetes forbids `:` here. */
export function mountPath(text: string): Problem | undefined {
  if (/^\/+$/.test(text)) return { problem: "is the container's root, which no volume may replace" };
  if (text.includes(":")) return { problem: 'may not contain ":"' };
  return absolutePath(text);
}

/** A path inside a volume. */
export function relativePath(text: string): Problem | undefined {
  if (text.startsWith("/")) return { problem: "must be relative to the volume", hint: `remove the leading "/"` };
  return noBacksteps(text);
}

/** A file of a configMap or secret volume. */
export function filePath(text: string): Problem | undefined {
  if (text === "") return { problem: "is empty" };
  if (text.startsWith("..")) return { problem: 'may not start with ".."' };
  return relativePath(text);
}

export function hostAddress(text: string): Problem | undefined {
  if (text === "" || parseAddress(text) !== undefined) return undefined;
  return { problem: "is not an IPv4 or IPv6 address" };
}

/** What a kernel takes as a host name (hostname(7), HOST_NAME_MAX). */
export function hostName(text: string): Problem | undefined {
  return text.length > 64 ? { problem: `is longer than 64 characters (${text.length})` } : dnsSubdomain(text);
}

/** A signal by name, as Kubernetes has them: SIGUSR1, SIGRTMIN+3. Which there are planning knows. */
export function signalName(text: string): Problem | undefined {
  return /^SIG[A-Z0-9]+([+-][0-9]{1,2})?$/.test(text)
    ? undefined
    : { problem: "is not the name of a signal", hint: "write it like SIGTERM" };
}

/** A kernel setting that a pod has for itself: of its network and IPC namespaces (namespaces(7)). */
export function sysctlName(text: string): Problem | undefined {
  if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9*]([-_a-z0-9]*[a-z0-9])?)*$/.test(text))
    return { problem: "is not the name of a kernel setting" };
  if (/^(net\.|kernel\.(msg|shm)|kernel\.sem$|fs\.mqueue\.)/.test(text.replaceAll("/", "."))) return undefined;
  return { code: "refused-value", problem: "is not supported: it would hold for the whole host", hint: "set it on the host (sysctl.d(5))" };
}

/** An IPv4 or IPv6 address. */
export function address(text: string): Problem | undefined {
  return text === "" ? { problem: "is empty" } : hostAddress(text);
}

/** One word of a line of resolv.conf(5). */
export function word(text: string): Problem | undefined {
  return /^[!-~]+$/.test(text) ? undefined : { problem: "is not one word of printable ASCII characters" };
}

export function notEmpty(text: string): Problem | undefined {
  return text === "" ? { problem: "is empty" } : undefined;
}

/** `10.0.0.0/8`, or an address alone. */
export function addressRange(text: string): Problem | undefined {
  const [host = "", bits, ...more] = text.trim().split("/");
  const address = parseAddress(host);
  const most = address?.family === 4 ? 32 : 128;
  if (address !== undefined && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
    return undefined;
  return { problem: "is no range of addresses, 10.0.0.0/8 or fd00::/8 say" };
}

/** Whom a probe asks: podrt looks no names up. */
export function probeHost(text: string): Problem | undefined {
  if (text === "" || text === "localhost" || parseAddress(text) !== undefined) return undefined;
  const hint = "write its address; a server that goes by names is told one by the header Host";
  return { problem: "is not an IPv4 or IPv6 address: names of hosts are not looked up", hint };
}

/** RFC 9110, 5.6.2: a token. */
export function headerName(text: string): Problem | undefined {
  if (/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(text)) return undefined;
  return { problem: "is not the name of an HTTP header" };
}

/** RFC 9110, 5.5; no line ends: they would begin another header. */
export function headerValue(text: string): Problem | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? { problem: "has a control character, which no HTTP header can hold" } : undefined;
}

/** What stands in a request after GET. */
export function requestPath(text: string): Problem | undefined {
  if (/^[\x21-\x7e]*$/.test(text)) return undefined;
  return { problem: "has a character that no path of a URL can hold", hint: "write it in percent-encoding: a space is %20" };
}

/** What fits into the one message that is sent. */
export function serviceName(text: string): Problem | undefined {
  return new TextEncoder().encode(text).length > 126 ? { problem: "is longer than 126 bytes" } : undefined;
}
