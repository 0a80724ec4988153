// The pod most tests of level 3 use: a web server behind a host port, and a second container that says something.
import { hostImage } from "./host.js";

export interface PagePod {
  readonly name: string;
  readonly port: number;
  /** The whole page. */
  readonly page?: string;
  /** What the second container prints when it starts. */
  readonly word?: string;
}

/** The spec's text; `/index.html` answers with `page` and a line feed. */
export function pagePod({ name, port, page = `page of ${name}`, word = "beat" }: PagePod): string {
  const image = hostImage("busybox");
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 2
  containers:
    # As PID 1 httpd would not hear SIGTERM, as a shell does that traps it and waits.
    - name: app
      image: ${image}
      command: [sh, -c, "trap 'exit 0' TERM; mkdir /page; echo '${page}' > /page/index.html; httpd -f -p 8080 -h /page & wait $!"]
      ports: [{ containerPort: 8080, hostPort: ${port} }]
    - name: log
      image: ${image}
      command: [sh, -c, "trap 'exit 0' TERM; echo ${word}; while :; do sleep 3600 & wait $!; done"]
`;
}
