// Why one signature does not count; the others may.

/** The message is the reason, without a subject. */
export class Rejection extends Error {}
