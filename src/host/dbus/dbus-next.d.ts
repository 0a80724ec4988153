// The inner module of dbus-next 0.10.2 that connection.ts uses; the package has types for its front only.

declare module "dbus-next/lib/handshake.js" {
  import type { Socket } from "node:net";

  /** Authenticates as the calling user; the callback's error is an Error or a line of the server. */
  const handshake: (stream: Socket, options: { authMethods: string[] }, done: (error: unknown) => void) => void;
  // biome-ignore lint/style/noDefaultExport: dbus-next is CommonJS
  export default handshake;
}
