// How long anything that waits for a registry or for podrt may wait. Tests give shorter ones.

/** Milliseconds, except where said. */
export interface Deadlines {
  /** Until the connection stands, TLS included. */
  readonly connect: number;
  /** From the request to the head of its answer. */
  readonly headers: number;
  /** Between two pieces of a body. */
  readonly idle: number;
  /** A body that brings fewer than `windowBytes` in `window` is cut off and resumed: a drip would defeat `idle`. */
  readonly window: number;
  readonly windowBytes: number;
  /** Tries of one request, or of one layer without a gain of `windowBytes`. A count. */
  readonly attempts: number;
  /** Before the second try; doubles with each further one. */
  readonly backoff: number;
  /** A registry that asks for a longer pause (Retry-After) is given up on. */
  readonly retryAfter: number;
  /** podrt takes no byte for so long, or does not end. */
  readonly unpack: number;
  /** podrt copies or reads through a whole layer, and says nothing meanwhile. */
  readonly whole: number;
  /** Another podgen holds a layer's lock and its download does not move. */
  readonly lock: number;
}

export const DEADLINES: Deadlines = {
  connect: 15_000,
  headers: 30_000,
  idle: 30_000,
  window: 60_000,
  windowBytes: 64 * 1024,
  attempts: 5,
  backoff: 500,
  retryAfter: 60_000,
  unpack: 300_000,
  whole: 3_600_000,
  lock: 600_000,
};
