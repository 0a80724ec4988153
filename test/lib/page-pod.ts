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
    - name: app
      image: ${image}
      command: [sh, -c, "mkdir /page && echo '${page}' > /page/index.html && exec httpd -f -p 8080 -h /page"]
      ports: [{ containerPort: 8080, hostPort: ${port} }]
    - name: log
      image: ${image}
      # A shell that waits hears SIGTERM at once; as PID 1 it has to ask for it.
      command: [sh, -c, "trap 'exit 0' TERM; echo ${word}; while :; do sleep 3600 & wait $!; done"]
`;
}
