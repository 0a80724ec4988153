// Files of the Container Device Interface, as they were read: what plan/cdi.ts makes sense of.

/** One file below a folder of CDI. */
export interface CdiFile {
  readonly path: string;
  /** Of its folder: a device of a higher one hides one of the same name. */
  readonly priority: number;
  /** The document as data; absent: it could not be read. */
  readonly content?: unknown;
  /** Why it could not. */
  readonly problem?: string;
}

const NAME =
  /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\/[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?=[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

/** Whether it is a qualified device name, `vendor.com/class=name` (CDI's SPEC.md, "Kind" and device names). */
export function isQualifiedName(text: string): boolean {
  return NAME.test(text);
}
