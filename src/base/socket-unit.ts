// Reads a published port back from the name of its socket unit, which plan/names.ts (portUnit) has made.

export interface PublishedPort {
  /** Empty for every address. */
  readonly hostIP: string;
  readonly hostPort: number;
  /** `TCP` or `UDP`, as specs have it. */
  readonly protocol: string;
}

/** `127.0.0.1`, 8080, TCP of `pod-web__127.0.0.1-8080-tcp.socket`; the `-` of an IPv6 address are `:` again. Undefined for other units. */
export function readSocketUnit(unit: string): PublishedPort | undefined {
  const [, address = "", port, protocol] = /__(?:(.+)-)?(\d+)-(tcp|udp)\.socket$/.exec(unit) ?? [];
  if (port === undefined || protocol === undefined) return undefined;
  return { hostIP: address.replace(/-/g, ":"), hostPort: Number(port), protocol: protocol.toUpperCase() };
}
