// podman with podrt as its runtime, without root: see test/lib/podman-runtime.ts.
import { podmanTests } from "../lib/podman-runtime.js";

podmanTests("alice");
