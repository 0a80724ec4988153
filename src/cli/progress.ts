// Pull progress for people: one bar per layer on a terminal, plain lines elsewhere.
import { size } from "../base/bytes.js";
import type { PullProgress } from "../ports/images.js";

export interface PullPrinter {
  (step: PullProgress): void;
  /** Takes the bars away and prints what was pulled. Call it also when the pull failed. */
  close(): void;
}

/** What is written to; process.stderr is one. */
export interface Output {
  write(text: string): unknown;
  readonly columns?: number | undefined;
}

export interface PrinterOptions {
  readonly tty: boolean;
  /** Milliseconds of a clock that never goes back; tests give their own. */
  readonly now?: () => number;
  /** What is done, where it is no pull. */
  readonly words?: Words;
}

interface Words {
  readonly doing: string;
  readonly done: string;
}

const PULL: Words = { doing: "pulling", done: "pulled" };

interface Layer {
  step: PullProgress;
  /** When and with how many bytes it was first seen, and last looked at for the rate. */
  start: number;
  markTime: number;
  markBytes: number;
  /** Bytes a second, smoothed. */
  rate: number;
  /** When its last plain line was written. */
  line: number;
}

const REDRAW = 100;
const LINE_EVERY = 5_000;

/** Makes a printer for the steps of Images.ensure, of one image or of several in turn or at once. */
export function createPullPrinter(stream: Output, { tty, now = () => performance.now(), words = PULL }: PrinterOptions): PullPrinter {
  return tty ? bars(stream, now, words) : lines(stream, now, words);
}

/** image -> its layers, in the order they were announced (bottom first). */
type Images = Map<string, Map<string, Layer>>;

function note(images: Images, step: PullProgress, time: number): Layer {
  const layers = images.get(step.reference) ?? new Map<string, Layer>();
  images.set(step.reference, layers);
  let layer = layers.get(step.layer);
  if (layer === undefined) {
    layer = { step, start: time, markTime: time, markBytes: step.bytes, rate: 0, line: time };
    layers.set(step.layer, layer);
  }
  const elapsed = time - layer.markTime;
  if (elapsed >= 500) {
    const rate = (Math.max(0, step.bytes - layer.markBytes) / elapsed) * 1000;
    layer.rate = layer.rate === 0 ? rate : layer.rate * 0.7 + rate * 0.3;
    layer.markTime = time;
    layer.markBytes = step.bytes;
  }
  layer.step = step;
  return layer;
}

function finished(layer: Layer): boolean {
  return layer.step.phase === "done" || layer.step.phase === "present";
}

/** `pulled NAME: 5 layers, 57.3 MB, 2 of them were here, in 3.2 s`; undefined when there was nothing to do. */
function summary(reference: string, layers: ReadonlyMap<string, Layer>, time: number, words: Words): string | undefined {
  const all = [...layers.values()];
  const fresh = all.filter((l) => l.step.phase === "done");
  if (fresh.length === 0 || !all.every(finished)) return undefined;
  const here = all.length - fresh.length;
  const seconds = (time - Math.min(...all.map((l) => l.start))) / 1000;
  const bytes = fresh.reduce((sum, l) => sum + l.step.total, 0);
  return `${words.done} ${reference}: ${count(fresh.length)}, ${size(bytes)}${here > 0 ? `, ${here} already here` : ""}, in ${seconds.toFixed(1)} s`;
}

function lines(stream: Output, now: () => number, words: Words): PullPrinter {
  const images: Images = new Map();
  const begun = new Set<string>();
  const print = (step: PullProgress) => {
    const time = now();
    const layer = note(images, step, time);
    if (finished(layer) && step.phase === "present") return;
    const layers = images.get(step.reference) as Map<string, Layer>;
    const name = `${step.reference}: layer ${[...layers.keys()].indexOf(step.layer) + 1}/${layers.size}`;
    // Announcements come first, all at once; the first step that moves tells how many there are.
    if (!begun.has(step.reference) && (step.bytes > 0 || step.phase !== "download")) {
      begun.add(step.reference);
      const wanted = [...layers.values()].filter((l) => l.step.phase !== "present");
      stream.write(
        `${words.doing} ${step.reference}: ${count(wanted.length)}, ${size(wanted.reduce((sum, l) => sum + l.step.total, 0))}\n`,
      );
    }
    if (step.phase === "done") {
      stream.write(`${words.done} ${name}, ${size(step.total)}\n`);
    } else if (time - layer.line >= LINE_EVERY) {
      layer.line = time;
      stream.write(
        step.phase === "unpack"
          ? `unpacking ${name}\n`
          : `${words.doing} ${name}, ${size(step.bytes)} of ${size(step.total)}${speed(layer)}\n`,
      );
    }
  };
  return Object.assign(print, {
    close() {
      for (const [reference, layers] of images) {
        const text = summary(reference, layers, now(), words);
        if (text !== undefined) stream.write(`${text}\n`);
      }
      images.clear();
    },
  });
}

function bars(stream: Output, now: () => number, words: Words): PullPrinter {
  const images: Images = new Map();
  let drawn = 0;
  let last = Number.NEGATIVE_INFINITY;
  // Each frame is one write that goes over the lines of the last one; nothing is cleared first, so nothing flickers.
  const frame = (rows: readonly string[]) => {
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    stream.write(`${up}${rows.map((row) => `\r${row}\x1b[K\n`).join("")}\x1b[J`);
    drawn = rows.length;
  };
  const rows = () => {
    // One column stays free: a full last column makes some terminals wrap.
    const width = Math.max(20, stream.columns || 80) - 1;
    return [...images].flatMap(([reference, layers]) => {
      const open = [...layers.values()].filter((l) => !finished(l));
      if (open.length === 0) return [];
      const done = layers.size - open.length;
      return [clip(`${reference}  ${done}/${layers.size} layers`, width), ...open.map((l) => clip(bar(l, width), width))];
    });
  };
  const print = (step: PullProgress) => {
    const time = now();
    note(images, step, time);
    if (time - last < REDRAW) return;
    last = time;
    frame(rows());
  };
  return Object.assign(print, {
    close() {
      const done = [...images].flatMap(([reference, layers]) => summary(reference, layers, now(), words) ?? []);
      if (drawn > 0 || done.length > 0) frame(done);
      drawn = 0;
      images.clear();
    },
  });
}

/** `  a1b2c3d4e5f6 ━━━━━━────  43 %  12.3 MB of 28.1 MB  5.2 MB/s  3 s` */
function bar(layer: Layer, width: number): string {
  const { layer: id, bytes, total, phase } = layer.step;
  const part = total === 0 ? 1 : Math.min(1, bytes / total);
  const name = `  ${id.replace(/^sha256:/, "").slice(0, 12)} `;
  const right =
    phase === "unpack"
      ? ` unpacking ${size(total)}`
      : ` ${String(Math.floor(part * 100)).padStart(3)} %  ${size(bytes)} of ${size(total)}${speed(layer)}`;
  // The numbers stand still while the bar takes what is left, and goes first where there is no room.
  const room = Math.min(40, width - name.length - Math.max(right.length, 48));
  if (room < 5) return name + right;
  const filled = Math.round(part * room);
  return `${name}${"━".repeat(filled)}${"─".repeat(room - filled)}${right}`;
}

function speed(layer: Layer): string {
  if (layer.rate < 1 || layer.step.phase !== "download" || layer.step.bytes >= layer.step.total) return "";
  const left = (layer.step.total - layer.step.bytes) / layer.rate;
  return `, ${size(layer.rate)}/s, ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`;
}

function count(layers: number): string {
  return layers === 1 ? "1 layer" : `${layers} layers`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
