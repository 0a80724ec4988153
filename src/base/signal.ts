// Signal numbers and names, as Linux has them on every architecture podgen runs on (signal(7)).

// biome-ignore format: a table
const NAMES = [
  "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
  "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
]; // prettier-ignore

/** `SIGKILL` for 9; real-time signals as `SIGRTMIN+N` (SIGRTMIN is 34 for programs under glibc). */
export function signalName(number: number): string {
  const name = NAMES[number];
  if (name !== undefined && name !== "") return `SIG${name}`;
  return number >= 34 && number <= 64 ? `SIGRTMIN+${number - 34}` : `signal ${number}`;
}
