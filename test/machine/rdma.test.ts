// Limits of RDMA, on a machine with Debian's big kernel, which has a device of it made by software. By hand: the kernel is 100 MB.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { Machine } from "../lib/machine.js";
import type { Config } from "../native/oci.js";

const MODULES = ["ib_core", "ib_uverbs", "udp_tunnel", "ip6_udp_tunnel", "crc32_generic", "rdma_rxe"];

for (const version of ["v2", "v1"])
  describe(`cgroup ${version}`, () => {
    let machine: Machine;
    let base: Config;
    before(async () => {
      const folder = resolve("dist/machine-rdma");
      mkdirSync(folder, { recursive: true });
      const program = join(folder, "rdma");
      execFileSync("cc", ["-static", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program, "test/machine/rdma.c"]);
      machine = await Machine.start(`rdma-${version}`, "small", {
        PODGEN_TEST_UNITS: folder,
        PODGEN_TEST_KERNEL: "linux-image-amd64",
        PODGEN_TEST_MODULES: MODULES.join(" "),
        PODGEN_TEST_WORDS: `podgen.cgroups=${version}`,
      });
      await machine.run(`for each in ${MODULES.join(" ")}; do insmod /tests/$each.ko || exit 1; done
        cp /tests/rdma /rootfs/bin; /tests/rdma new`);
      base = JSON.parse(await machine.run("cd /tmp && podrt spec && cat config.json"));
      base.process.terminal = false;
      base.root = { path: "/rootfs", readonly: false };
    });
    after(() => machine.stop());

    let count = 0;
    async function bundle(rdma: object | undefined): Promise<string> {
      const [major = 0, minor = 0] = (await machine.run("cat /sys/class/infiniband_verbs/uverbs0/dev")).split(":").map(Number);
      const id = `c${count++}`;
      const config = structuredClone(base);
      config.process.args = ["sleep", "1000"];
      const devices = [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major, minor, access: "rwm" },
      ];
      config.linux["devices"] = [{ path: "/dev/infiniband/uverbs0", type: "c", major, minor, fileMode: 0o666, uid: 0, gid: 0 }];
      config.linux["resources"] = { devices, ...(rdma && { rdma }) };
      config.linux["cgroupsPath"] = `/tests/${id}`;
      return `id=${id} b=/tmp/${id} cg=/sys/fs/cgroup/${version === "v1" ? "rdma/" : ""}tests/${id}
        mkdir $b; cat > $b/config.json << 'END'\n${JSON.stringify(config)}\nEND
        start() { podrt run --detach --bundle $b $id < /dev/null > $b/out 2> $b/err || { cat $b/err >&2; exit 99; }; }
        end() { podrt delete --force $id; [ ! -e $cg ] || echo left; }
      `;
    }

    test("handles and objects: no more than that", async () => {
      const out = await machine.run(`${await bundle({ rxe0: { hcaHandles: 3, hcaObjects: 5 } })} start; cat $cg/rdma.max
        podrt exec $id rdma take; end`);
      // A handle of the device counts as a handle alone.
      assert.equal(out, "rxe0 hca_handle=3 hca_object=5 \nhandles 3 objects 5");
    });

    test("one of the two", async () => {
      const out = await machine.run(`${await bundle({ rxe0: { hcaHandles: 2 } })} start; cat $cg/rdma.max
        podrt exec $id rdma take; end`);
      assert.equal(out, "rxe0 hca_handle=2 hca_object=max \nhandles 2 objects 8");
    });

    test("without a limit there is none", async () => {
      const out = await machine.run(`${await bundle(undefined)} start; podrt exec $id rdma take; end`);
      assert.equal(out, "handles 8 objects 8");
    });

    test("a device that is not there is refused", async () => {
      const r = await machine.try(`${await bundle({ none0: { hcaHandles: 2 } })} start`);
      assert.equal(r.code, 99);
      assert.match(r.stderr, /rdma\.max=none0 hca_handle=2: No such device/);
    });
  });
