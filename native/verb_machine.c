/*
 * podrt machine: what this machine allows, as JSON on stdout.
 *
 * {"podgen":{"overlay":BOOL,"fuseOverlayfs":BOOL},  the drivers in short
 *  "userns":{"ok","uids","gids","single","reason"}, "overlay":{"ok","reason"}, "fuseOverlayfs":{"ok","path"}, "pasta":{"ok","path"},
 *  "newuidmap":{"ok","path","reason"}, "newgidmap":…, "cgroup":{"ok","layout","controllers":[…]}, "seccomp":{"ok","reason"},
 *  "kernel":{"ok","release","reason"}}
 */
#include <jansson.h>

#include "lib/machine.h"
#include "verbs.h"

static json_t *result(const struct machine_result *r) {
  return json_pack("{s:b, s:s}", "ok", r->ok, "reason", r->text);
}

static json_t *program(const char *name) {
  char path[256];
  bool ok = machine_find(name, path, sizeof path);
  return json_pack("{s:b, s:s}", "ok", ok, "path", path);
}

static json_t *map_tool(const char *name) {
  struct machine_result r;
  char path[256];
  machine_map_tool(name, &r, path);
  return json_pack("{s:b, s:s, s:s}", "ok", r.ok, "path", path, "reason", r.text);
}

static json_t *cgroup(void) {
  struct machine_result r;
  const char *layout;
  machine_cgroup(&layout, &r);
  json_t *list = json_array();
  char *save = NULL;
  for (char *name = strtok_r(r.text, " ", &save); name; name = strtok_r(NULL, " ", &save)) json_array_append_new(list, json_string(name));
  return json_pack("{s:b, s:s, s:o}", "ok", r.ok, "layout", layout, "controllers", list);
}

static json_t *kernel(void) {
  struct machine_result r;
  char release[80];
  machine_kernel(&r, release);
  return json_pack("{s:b, s:s, s:s}", "ok", r.ok, "release", release, "reason", r.text);
}

/* Where podgen's data are; the folder need not be there yet. */
static char *data_folder(void) {
  const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
  return data && data[0] == '/' ? xformat("%s/podgen", data) : xformat("%s/.local/share/podgen", home && home[0] == '/' ? home : "");
}

int verb_machine(int argc, char **argv) {
  (void)argv;
  if (argc != 1) {
    fputs("usage: podrt machine\n", stderr);
    return 64;
  }
  struct err err;
  struct machine_userns u;
  struct machine_result seccomp;
  cleanup_free char *data = data_folder();
  if (!data || machine_userns(data, &u, &err) < 0) {
    if (!data) err_set(&err, ENOMEM, "machine", "%s", "");
    err_print(&err, "machine");
    return 125;
  }
  machine_seccomp(&seccomp);
  char path[256];
  json_t *root = json_pack("{s:{s:b, s:b}, s:{s:b, s:I, s:I, s:b, s:s}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "podgen", "overlay",
                           u.overlay.ok, "fuseOverlayfs", machine_find("fuse-overlayfs", path, sizeof path), "userns", "ok", u.userns.ok,
                           "uids", (json_int_t)u.uids, "gids", (json_int_t)u.gids, "single", u.userns.ok && (u.uids <= 1 || u.gids <= 1),
                           "reason", u.userns.text, "overlay", result(&u.overlay), "fuseOverlayfs", program("fuse-overlayfs"), "pasta",
                           program("pasta"), "newuidmap", map_tool("newuidmap"), "newgidmap", map_tool("newgidmap"), "cgroup", cgroup(),
                           "seccomp", result(&seccomp), "kernel", kernel());
  bool ok = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
  json_decref(root);
  return ok ? 0 : 125;
}
