// The ports a transaction writes through, under one roof.
export type { FileWriter as Files } from "../ports/files.js";
export type { Images, PullProgress } from "../ports/images.js";
export type { Journal } from "../ports/journal.js";
export type { Manager } from "../ports/manager.js";
export type { Runtime } from "../ports/runtime.js";
