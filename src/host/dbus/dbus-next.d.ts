// The two inner modules of dbus-next 0.10.2 that connection.ts uses; the package has types for its front only.

declare module "dbus-next/lib/handshake.js" {
  import type { Socket } from "node:net";

  /** Authenticates as the calling user; the callback's error is an Error or a line of the server. */
  const handshake: (stream: Socket, options: { authMethods: string[] }, done: (error: unknown) => void) => void;
  // biome-ignore lint/style/noDefaultExport: dbus-next is CommonJS
  export default handshake;
}

declare module "dbus-next/lib/message.js" {
  interface WireMessage {
    readonly type: number;
    readonly serial: number;
    readonly flags: number;
    readonly path: string;
    readonly interface: string;
    readonly member: string;
    readonly destination?: string;
    readonly signature?: string;
    readonly body?: readonly unknown[];
  }
  const wire: {
    /** Bytes of a message; throws where the body does not fit its signature. */
    marshall(message: WireMessage): [Buffer, unknown[]];
  };
  // biome-ignore lint/style/noDefaultExport: dbus-next is CommonJS
  export default wire;
}
