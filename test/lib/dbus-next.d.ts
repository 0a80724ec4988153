// dbus-next's codec, with which tests compare ours; the package has types for its front only.

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
  const wire: { marshall(message: WireMessage): [Buffer, unknown[]] };
  // biome-ignore lint/style/noDefaultExport: dbus-next is CommonJS
  export default wire;
}
