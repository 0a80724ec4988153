// An image's STOPSIGNAL in systemd's spelling (systemd.kill(5), signal(7)).

const NAMES = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU " +
  "XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

/** SIGRTMIN and SIGRTMAX as programs under glibc see them, and systemd with them. */
const RTMIN = 34;
const RTMAX = 64;

/**
 * Normalises `TERM`, `SIGTERM`, `15`, `SIGRTMIN+3`, `RTMAX-2` to one spelling: `SIGTERM`, `SIGRTMIN+3`. Empty means
 * SIGTERM. Undefined when it is no signal.
 */
export function stopSignal(text: string): string | undefined {
  if (text === "") return "SIGTERM";
  const word = text.toUpperCase().replace(/^SIG/, "");
  if (NAMES.includes(word)) return `SIG${word}`;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(word);
  if (realTime !== null) {
    const base = realTime[1] === "MIN" ? RTMIN : RTMAX;
    const offset = Number(realTime[3] ?? "0") * (realTime[2] === "-" ? -1 : 1);
    return byNumber(base + offset, RTMIN);
  }
  return /^\d{1,2}$/.test(text) ? byNumber(Number(text), 1) : undefined;
}

function byNumber(number: number, least: number): string | undefined {
  if (number < least || number > RTMAX) return undefined;
  if (number > RTMIN) return `SIGRTMIN+${number - RTMIN}`;
  if (number === RTMIN) return "SIGRTMIN";
  const name = NAMES[number - 1];
  return name === undefined ? undefined : `SIG${name}`;
}
