// Waits until a unit is as wanted: signals are hints to look again, never the truth.
import type { UnitState } from "../../base/installed.js";
import type { Connection } from "../dbus/connection.js";
import { DbusError } from "../dbus/errors.js";
import { isAway, MANAGER_PATH } from "./names.js";

/** A signal may be lost while the manager executes itself anew, and some properties have none: look this often anyway. */
const LOOK_ANYWAY = 1000;

/**
 * Reads until `wanted` holds or `deadline` milliseconds passed; returns what was read last. Rejects when the
 * connection ends, and at the deadline when the manager was off the bus all the while.
 */
export async function waitUntil(
  connection: Connection,
  path: string,
  read: () => Promise<UnitState>,
  wanted: (unit: UnitState) => boolean,
  deadline: number,
): Promise<UnitState> {
  const end = performance.now() + deadline;
  const bell = new Bell();
  const stops = [
    connection.onSignal((message) => {
      if (message.path === path || message.path === MANAGER_PATH) bell.ring();
    }),
    connection.onEnd(() => bell.ring()),
  ];
  try {
    for (;;) {
      bell.reset();
      const late = performance.now() >= end;
      try {
        const unit = await read();
        if (wanted(unit) || late) return unit;
      } catch (error) {
        if (late || !(error instanceof DbusError && isAway(error.name))) throw error;
      }
      await bell.wait(Math.min(LOOK_ANYWAY, Math.max(0, end - performance.now())));
    }
  } finally {
    for (const stop of stops) stop();
  }
}

/** Something that can be rung, also before anybody waits. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  reset(): void {
    this.#rung = false;
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#rung ? 0 : milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
