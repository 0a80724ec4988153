// Addresses that are known at a start only: marks in variables and arguments, which podrt replaces (native/lib/addresses.h).

/** `podIP`, `podIPs`, `hostIP` or `hostIPs`. A control character, so that nothing that people write looks like one. */
export function addressMark(name: string): string {
  return `\u0001{${name}}`;
}

const MARKS = ["podIP", "podIPs", "hostIP", "hostIPs"].map(addressMark);

/** Whether there is a mark in a text. */
export function hasAddress(text: string): boolean {
  return MARKS.some((mark) => text.includes(mark));
}
