// Offsets in a text to lines and columns.
import type { Location } from "../base/diagnostic.js";

/** The lines of one file. A line ends at LF, CR LF or CR, as in YAML 1.2 (5.4); columns count code points. */
export class Lines {
  readonly file: string;
  readonly text: string;
  readonly #starts: number[] = [0];
  /** Only then does a column differ from a difference of offsets. */
  readonly #astral: boolean;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.#astral = /[\ud800-\udbff]/.test(text);
    for (const match of text.matchAll(/\r\n|\r|\n/g)) this.#starts.push(match.index + match[0].length);
  }

  /** The place of an offset (UTF-16 units from the start of the text). */
  at(offset: number): Location {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: this.#count(this.#starts[low] ?? 0, offset) + 1 };
  }

  /** Characters from one offset to another, no further than the end of the line, 1 at least. */
  length(start: number, end: number): number {
    const part = this.text.slice(start, end);
    const stop = part.search(/[\r\n]/);
    return Math.max(1, this.#count(start, stop < 0 ? end : start + stop));
  }

  #count(start: number, end: number): number {
    return this.#astral ? [...this.text.slice(start, end)].length : end - start;
  }
}
