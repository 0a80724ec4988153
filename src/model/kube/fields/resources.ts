// Fields of resources, of containers and of pods.
import { type Check, list, names, object } from "../../../spec/schema.js";
import { DEVICE, isDevice } from "../devices.js";
import { cpuQuantity, memoryQuantity } from "../quantity.js";

/** Resources that are named after devices or page sizes. */
function family(key: string): string | undefined {
  if (key.startsWith("hugepages-")) return "systemd hands a user no hugetlb controller";
  return key.includes("/")
    ? "podgen counts no devices: name one, as the Container Device Interface does (vendor.com/class=name)"
    : undefined;
}

function quantity(check: Check): { readonly type: "quantity"; readonly check: Check } {
  return { type: "quantity", check };
}

const RESOURCE_LIST = object(
  "ResourceList",
  {
    cpu: quantity(cpuQuantity),
    memory: quantity(memoryQuantity),
    "ephemeral-storage": { type: "quantity", noEffect: "Linux lets only root limit the size of a folder" },
  },
  family,
  [{ is: isDevice, text: "VENDOR/CLASS=NAME", regex: "^[^/]+/[^/=]+=.+$", field: DEVICE }],
);

/** Dynamic resource allocation. */
export const CLAIMS =
  "nothing here allocates devices: name one among limits, as the Container Device Interface does (vendor.com/class=name)";

export const RESOURCES = object("ResourceRequirements", {
  limits: { type: RESOURCE_LIST },
  requests: { type: RESOURCE_LIST },
  claims: { since: "1.26", type: list(names("ResourceClaim", "name request")), refused: CLAIMS },
});
