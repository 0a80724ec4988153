// Annotations with a meaning: podgen's own, under podgen.io/, and podman's that say the same. One row each; keys are nowhere else.
import { quote } from "../../spec/quote.js";
import type { Problem } from "../../spec/report.js";
import { checkOrder } from "./order.js";
import { parseUlimits } from "./ulimits.js";
import { isProblem, parseUserns } from "./userns.js";

export interface Annotation {
  /** What it asks for and its values, as the man page says it. */
  readonly meaning: string;
  /** Keys that speak for the whole pod, podgen's own first. All spellings mean the same. */
  readonly pod: readonly string[];
  /** It speaks for an object of this kind, and not for a pod. */
  readonly on?: "CronJob";
  /** What stands before a container's name in a key that speaks for that one, podgen's own first. It goes before the pod's. */
  readonly container: readonly string[];
  /** Why it says nothing for an init container; absent where it does. The pod's own passes them over. */
  readonly notInit?: string;
  /** What is wrong with a value. */
  readonly check: (value: string) => Problem | undefined;
}

/** A check for a few words; those of `refused` are known and not taken: word -> why. */
function oneOf(words: readonly string[], refused: Readonly<Record<string, string>> = {}): Annotation["check"] {
  return (value) => {
    if (words.includes(value)) return undefined;
    const why = Object.hasOwn(refused, value) ? refused[value] : undefined;
    if (why !== undefined) return { code: "refused-value", problem: `is not supported: ${why}` };
    return { problem: `is none of ${words.map(quote).join(", ")}` };
  };
}

/** A day; more is no watchdog. */
const LONGEST = 86_400;

function seconds(value: string): Problem | undefined {
  if (/^[1-9]\d{0,5}$/.test(value) && Number(value) <= LONGEST) return undefined;
  return { problem: `is no number of seconds from 1 to ${LONGEST}` };
}

/** Names with commas between; which there are is a rule's matter. */
export function namesIn(value: string): string[] {
  return value.split(",").map((name) => name.trim());
}

function names(value: string): Problem | undefined {
  const list = namesIn(value);
  if (list.includes("")) return { problem: "is no list of names of ports, with commas between" };
  const twice = list.find((name, i) => list.indexOf(name) !== i);
  return twice === undefined ? undefined : { problem: `names ${quote(twice)} twice` };
}

/** As the kernel writes sets of processors and nodes: cpuset(7), list format. */
function ranges(value: string): Problem | undefined {
  const parts = value.split(",").map((part) => /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part));
  const good = parts.every((m) => m !== null && (m[2] === undefined || Number(m[1]) <= Number(m[2])));
  return good ? undefined : { problem: "is no list of numbers and ranges, as 0-3,6" };
}

/** Those that programs take for "read your settings". */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
  SIGCONT: 18,
  SIGWINCH: 28,
};

/** Of a signal by its name, with SIG or without. */
export function signalNumber(name: string): number | undefined {
  const key = name.startsWith("SIG") ? name : `SIG${name}`;
  return Object.hasOwn(SIGNALS, key) ? SIGNALS[key] : undefined;
}

export const ANNOTATIONS = {
  sdnotify: {
    meaning:
      "When a container counts as ready. conmon, the default, and ignore: when it was started. container: when it says so itself, by sd_notify(3) to $NOTIFY_SOCKET; podgen-units(7) says what else it may say then. healthy: when its startup and readiness probes say so, which is what happens wherever it has one; an error where it has none",
    pod: ["podgen.io/sdnotify", "io.containers.sdnotify"],
    container: ["sdnotify.podgen.io/", "io.containers.sdnotify/"],
    notInit: "it is ready when it has ended",
    check: oneOf(["conmon", "container", "ignore", "healthy"]),
  },
  watchdogSec: {
    meaning:
      "Seconds from 1 to 86400 (WatchdogSec=): a container that says WATCHDOG=1 less often is ended with SIGABRT, after its grace period with SIGKILL, and counts as failed. Only beside sdnotify: container; $WATCHDOG_USEC says it to the payload",
    pod: ["podgen.io/watchdog-sec"],
    container: ["watchdog-sec.podgen.io/"],
    notInit: "it says nothing to the manager",
    check: seconds,
  },
  socketActivation: {
    meaning:
      "Names of the container's ports with a hostPort, with commas between: it gets their listening sockets of the host from systemd ($LISTEN_FDS, sd_listen_fds(3)), named as the ports are, in place of podgen's forwarder. Only with restartPolicy Always, and not with hostNetwork",
    pod: [],
    container: ["socket-activation.podgen.io/"],
    notInit: "it has ended when the others start",
    check: names,
  },
  configReload: {
    meaning:
      "What a changed ConfigMap or Secret, or the pod's labels and annotations, do to a container that has files of them. restart, the default: it is started anew. update: the files of configMap, secret, projected and downwardAPI volumes are exchanged while it runs, all of a volume at once, laid out as the kubelet does (links by way of ..data); what is in its environment or mounted with subPath cannot be, and restarts it. Not in a pod with a user namespace of its own",
    pod: ["podgen.io/config-reload"],
    container: ["config-reload.podgen.io/"],
    check: oneOf(["restart", "update"]),
  },
  reloadSignal: {
    meaning: "Beside config-reload: update, a signal that the container's first process is sent after its files have changed: SIGHUP, say",
    pod: ["podgen.io/reload-signal"],
    container: ["reload-signal.podgen.io/"],
    notInit: "it is not told",
    check: (value) => (signalNumber(value) === undefined ? { problem: `is none of ${Object.keys(SIGNALS).join(", ")}` } : undefined),
  },
  logDriver: {
    meaning:
      "Where a container's output goes: journald, the default, or none, where nobody can read it (stdout and stderr are /dev/null; what systemd and podgen say of it is in the journal all the same). Not none with tty. Files (k8s-file, json-file) are refused: journalctl can write them",
    pod: ["podgen.io/log-driver"],
    container: ["log-driver.podgen.io/"],
    check: oneOf(["journald", "none"], {
      "k8s-file": "podgen keeps logs in the journal",
      "json-file": "podgen keeps logs in the journal",
      passthrough: "the journal shows lines of the container under its own unit",
    }),
  },
  pidsLimit: {
    meaning:
      "How many processes and threads a container may have (TasksMax=); without it 2048, as with podman, so that one that forks without end takes nothing from others. 0 or -1: as many as the user may",
    pod: ["podgen.io/pids-limit"],
    container: ["pids-limit.podgen.io/", "io.podman.annotations.pids-limit/"],
    check: (value) => (/^(-1|\d{1,9})$/.test(value) ? undefined : { problem: "is no number of processes, nor -1" }),
  },
  cpuset: {
    meaning: "The host's processors that a container may run on (AllowedCPUs=): 0-3,6",
    pod: ["podgen.io/cpuset"],
    container: ["cpuset.podgen.io/", "io.podman.annotations.cpuset/"],
    check: ranges,
  },
  memoryNodes: {
    meaning: "The host's NUMA nodes whose memory a container may have (AllowedMemoryNodes=): 0-1",
    pod: ["podgen.io/memory-nodes"],
    container: ["memory-nodes.podgen.io/", "io.podman.annotations.memory-nodes/"],
    check: ranges,
  },
  ulimit: {
    meaning:
      "Limits of each process, of setrlimit(2): NAME=SOFT[:HARD], with commas between, in its units; -1 or unlimited: none. NAME is nofile, nproc, core, memlock, stack or another one of getrlimit(2), in small letters. More than the user's own hard limit cannot be had: the container does not start then",
    pod: ["podgen.io/ulimit", "io.podman.annotations.ulimit"],
    container: ["ulimit.podgen.io/"],
    check: (value) => {
      const limits = parseUlimits(value);
      return "problem" in limits ? limits : undefined;
    },
  },
  autoUpdate: {
    meaning:
      "Whether a new image is looked for by itself: disabled, which is what happens. registry and local are refused: nothing updates images by itself yet; podgen apply does, with imagePullPolicy Always",
    pod: ["podgen.io/auto-update", "io.containers.autoupdate"],
    container: ["auto-update.podgen.io/", "io.containers.autoupdate/"],
    check: oneOf(["disabled"], {
      registry: "nothing updates images by itself yet",
      local: "nothing updates images by itself yet",
    }),
  },
  apparmor: {
    meaning:
      "Kubernetes' old way to say securityContext.appArmorProfile of a container, which says the same if it is there: runtime/default, unconfined, or localhost/PROFILE",
    pod: [],
    container: ["container.apparmor.security.beta.kubernetes.io/"],
    check: (value) =>
      /^(runtime\/default|unconfined|localhost\/.+)$/.test(value)
        ? undefined
        : { problem: 'is none of "runtime/default", "unconfined", "localhost/PROFILE"' },
  },
  userns: {
    meaning:
      "the pod's user namespace: shared or host, the user's one, in which root is the user; keep-id[:uid=N,gid=N], in which the user has his own id, or that one, and is who containers run as unless spec or image say; auto[:size=N], with ids that no other such pod has; nomap, with all of the user's ids but his own",
    pod: ["podgen.io/userns", "io.podman.annotations.userns"],
    container: [],
    check: (value) => {
      const parsed = parseUserns(value);
      return isProblem(parsed) ? parsed : undefined;
    },
  },
  after: {
    meaning:
      "Pods that this one waits for when they start too, at boot say: [KIND/]NAME[:CONDITION], with commas between. NAME is a pod's, or a workload's, which means all pods that it has when this one is applied; KIND (pod, deployment, …) says which where both have one name. CONDITION is started (its containers run), ready (the default: all were ready together, or have ended with success) or completed (all have ended with success). A name that does not exist is a warning; a pod that is not started is not waited for. Containers of the one that waits are stopped first",
    pod: ["podgen.io/after"],
    container: [],
    check: checkOrder,
  },
  requires: {
    meaning:
      "As podgen.io/after, and more: to start this pod starts those, and to stop or restart one of them stops or restarts this pod. A name that does not exist is an error, and a pod that another requires is not deleted without it. A container of theirs that crashes is restarted by itself and disturbs this pod no further",
    pod: ["podgen.io/requires"],
    container: [],
    check: checkOrder,
  },
  drainSeconds: {
    meaning:
      "How many seconds a container that is about to stop may go on with connections on which somebody waits for something, while new ones are held back or go to other pods: only then is it asked to end. 0: it is asked at once. Less than terminationGracePeriodSeconds, which begins after it; by default 10, or half of that where it is less. Connections of published ports and of Services count",
    pod: ["podgen.io/drain-seconds"],
    container: [],
    check: (value) => (/^(0|[1-9]\d{0,4})$/.test(value) ? undefined : { problem: "is no number of seconds from 0 to 99999" }),
  },
  cronRuns: {
    meaning:
      "Of a CronJob with concurrencyPolicy Allow: how many runs may go on at once, from 1 to 10; 3 without it. So many Jobs stand ready, NAME-r0 and so on; with all of them busy what is due waits for one",
    pod: ["podgen.io/cron-runs"],
    on: "CronJob",
    container: [],
    check: (value) => (/^([1-9]|10)$/.test(value) ? undefined : { problem: "is no number from 1 to 10" }),
  },
} as const satisfies Readonly<Record<string, Annotation>>;

export type AnnotationName = keyof typeof ANNOTATIONS;

/** The rows, for who looks at all of them. */
export const ALL: readonly Annotation[] = Object.values(ANNOTATIONS);

/**
 * The key by which the annotations of a pod speak in one matter for `container`, or for the pod as a whole where that is absent. Where
 * several spellings are there they agree: that is the rule's matter (rules/podgen-annotations.ts).
 */
export function annotationKey(annotations: Readonly<Record<string, string>>, name: AnnotationName, container?: string): string | undefined {
  const { pod, container: prefixes }: Annotation = ANNOTATIONS[name];
  const keys = [...(container === undefined ? [] : prefixes.map((prefix) => `${prefix}${container}`)), ...pod];
  return keys.find((key) => Object.hasOwn(annotations, key));
}

/** What they say. */
export function annotationOf(annotations: Readonly<Record<string, string>>, name: AnnotationName, container?: string): string | undefined {
  const key = annotationKey(annotations, name, container);
  return key === undefined ? undefined : annotations[key];
}
