// When the watcher looks: after events, for what is away, and again, ever less often, after what went wrong.

/** What a look leaves to be done without a further event. */
export interface Seen {
  /** Something is away, and it is too early to call it gone. */
  readonly away: boolean;
  /** Something did not work that may work later though no file changes: a registry, a lock, a full disk. */
  readonly retry: boolean;
}

/** Milliseconds. */
export const DELAYS = {
  /** Events of one save (editors write, rename, chmod) come within this. */
  coalesce: 50,
  /** What is away for so long is gone, and not being replaced. */
  away: 5_000,
  /** Until the first retry; doubled for each further one. */
  retry: 5_000,
  retryMost: 300_000,
} as const;

/** One look at a time; events that come meanwhile make one more, also when that look throws. */
export class Looker {
  readonly #look: () => Promise<Seen>;
  readonly #failed: (error: unknown) => void;
  readonly #idle: () => void;
  #timers: { event?: NodeJS.Timeout; away?: NodeJS.Timeout; retry?: NodeJS.Timeout } = {};
  #busy = false;
  #again = false;
  #stopped = false;
  #failures = 0;

  /** `failed` is told what a look has thrown; it is tried again. `idle`: a look has left nothing to be done without a further event. */
  constructor(look: () => Promise<Seen>, failed: (error: unknown) => void, idle: () => void = () => {}) {
    this.#look = look;
    this.#failed = failed;
    this.#idle = idle;
  }

  /** Something has changed, or may have. */
  touch(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timers.event);
    this.#timers.event = setTimeout(() => void this.now(), DELAYS.coalesce);
  }

  /** Looks, or once more when it looks already. */
  async now(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#again = false;
    let seen: Seen = { away: false, retry: true };
    try {
      seen = await this.#look();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
    this.#plan(seen);
  }

  /** No further look begins. */
  stop(): void {
    this.#stopped = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }

  #plan(seen: Seen): void {
    if (this.#stopped) return;
    clearTimeout(this.#timers.away);
    clearTimeout(this.#timers.retry);
    if (seen.away) this.#timers.away = setTimeout(() => void this.now(), DELAYS.away);
    if (seen.retry) {
      const delay = Math.min(DELAYS.retryMost, DELAYS.retry * 2 ** this.#failures);
      this.#timers.retry = setTimeout(() => void this.now(), delay);
      this.#failures++;
    } else this.#failures = 0;
    if (this.#again) this.touch();
    else if (!seen.away && !seen.retry) this.#idle();
  }
}
