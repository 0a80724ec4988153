// What made a pod, where a person did not write it as one: a workload of Kubernetes.

/** The workload of a pod. Both names are unique together: a Deployment and a Job may have one name. */
export interface OwnerRef {
  /** `Deployment`, `StatefulSet`, `Job`, … */
  readonly kind: string;
  readonly name: string;
  /** The pod's number: pod web-2 of Deployment web has 2. */
  readonly index: number;
}

/** `deployment/web`, as kubectl writes it. */
export function ownerName({ kind, name }: Pick<OwnerRef, "kind" | "name">): string {
  return `${kind.toLowerCase()}/${name}`;
}

/** Whether both are one workload's, whatever the pods' numbers. */
export function sameOwner(a: Pick<OwnerRef, "kind" | "name"> | undefined, b: Pick<OwnerRef, "kind" | "name"> | undefined): boolean {
  return a?.kind === b?.kind && a?.name === b?.name;
}
