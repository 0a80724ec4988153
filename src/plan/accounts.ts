// ServiceAccounts: pods that name no logins have their account's, as Kubernetes' admission gives them.
import type { Model, PodModel, ServiceAccountModel } from "../model/types.js";

export type Accounts = ReadonlyMap<string, ServiceAccountModel>;

export function accountKey(name: string): string {
  return `ServiceAccount/${name}`;
}

/** The model with those logins; this apply's accounts go before those of earlier ones (`applied`). */
export function withAccounts(model: Model, applied: Accounts): Model {
  const accounts = new Map([...applied, ...(model.accounts ?? []).map((account) => [account.name, account] as const)]);
  if (accounts.size === 0) return model;
  const given = (pod: PodModel): PodModel => {
    const account = accounts.get(pod.serviceAccountName ?? "default");
    if (pod.imagePullSecrets !== undefined || account === undefined || account.imagePullSecrets.length === 0) return pod;
    // What is wrong with one of an earlier apply is shown at the pod: its own place is in no file.
    const own = model.accounts?.includes(account) === true;
    return {
      ...pod,
      imagePullSecrets: account.imagePullSecrets.map(({ name, at }) => ({ name, at: own ? at : pod.at })),
      account: account.name,
    };
  };
  const workloads = model.workloads?.map((w) => ({ ...w, surge: w.surge.map(given) }));
  return { ...model, pods: model.pods.map(given), ...(workloads === undefined ? {} : { workloads }) };
}
