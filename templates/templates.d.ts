// Unit templates are bundled as strings (test/tools/esbuild.mjs).
declare module "*.service" {
  const text: string;
  export default text;
}
declare module "*.socket" {
  const text: string;
  export default text;
}
declare module "*.timer" {
  const text: string;
  export default text;
}
declare module "*.slice" {
  const text: string;
  export default text;
}
