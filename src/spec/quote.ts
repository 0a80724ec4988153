// Text of a spec inside messages.

/** What is longer is cut. */
export const MAX_SHOWN = 60;

/** `"text"`, escaped, cut to a readable length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
