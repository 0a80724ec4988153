/* The lists within linux.resources: see resources_lists.h. */
#include "resources_lists.h"

#include "lib/jsonload.h"

/* Far more than any machine has of either; a program of device rules has at most 4096 instructions without CAP_BPF. */
enum { LIST_MAX = 4096 };

static int wrong(struct err *err, const char *at, const char *key, const char *expected) {
  char path[JSON_AT_MAX];
  json_at(path, at, key);
  return err_set(err, 0, "config", "%s: expected %s", path, expected);
}

/* An array of objects, and room for as many entries of `size`. */
static int get_list(const json_t *object, const char *at, const char *key, size_t size, json_t **ret, void *ret_room, struct err *err) {
  int r = json_get_objects(object, at, key, LIST_MAX, ret, err);
  if (r < 0 || !*ret) return r;
  void *room = calloc(json_array_size(*ret) + 1, size);
  if (!room) return err_set(err, ENOMEM, "config", "%s.%s", at, key);
  memcpy(ret_room, &room, sizeof room);
  return 0;
}

int oci_resources_huge(const json_t *object, const char *at, const char *key, int64_t *ret, struct err *err) {
  uint64_t value = 0;
  if (!json_object_get(object, key) || json_is_null(json_object_get(object, key))) return 0;
  int r = json_get_uint64(object, at, key, UINT64_MAX, &value, err);
  if (r == 0) *ret = value > INT64_MAX ? INT64_MAX : (int64_t)value;
  return r;
}

/* A number that must be said. */
static int need_int(const json_t *object, const char *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err) {
  json_t *value = NULL;
  int r = json_get(object, at, key, JSON_INTEGER, true, &value, err);
  return r < 0 ? r : json_get_int(object, at, key, min, max, ret, err);
}

/* --- blockIO --- */

static int read_weight(const json_t *item, const char *at, struct oci_block_weight *ret, struct err *err) {
  ret->weight = ret->leaf_weight = OCI_UNSET;
  int r = need_int(item, at, "major", 0, UINT32_MAX, &ret->major, err);
  if (r == 0) r = need_int(item, at, "minor", 0, UINT32_MAX, &ret->minor, err);
  if (r == 0) r = json_get_int(item, at, "weight", 0, 1000, &ret->weight, err);
  if (r == 0) r = json_get_int(item, at, "leafWeight", 0, 1000, &ret->leaf_weight, err);
  return r;
}

static int read_rate(const json_t *item, const char *at, struct oci_block_rate *ret, struct err *err) {
  int64_t rate = 0;
  int r = need_int(item, at, "major", 0, UINT32_MAX, &ret->major, err);
  if (r == 0) r = need_int(item, at, "minor", 0, UINT32_MAX, &ret->minor, err);
  if (r == 0 && !json_object_get(item, "rate")) r = wrong(err, at, "rate", "a whole number");
  if (r == 0) r = oci_resources_huge(item, at, "rate", &rate, err);
  ret->rate = (uint64_t)rate;
  return r;
}

int oci_resources_block(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  static const char *const names[OCI_BLOCK_RATES] = {"throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice",
                                                     "throttleWriteIOPSDevice"};
  char path[JSON_AT_MAX];
  json_t *list = NULL, *item;
  size_t i;
  int r = get_list(object, at, "weightDevice", sizeof *ret->weight_devices, &list, &ret->weight_devices, err);
  if (r < 0) return r;
  json_array_foreach(list, i, item) {
    json_at_index(path, at, "weightDevice", i);
    r = read_weight(item, path, &ret->weight_devices[i], err);
    if (r < 0) return r;
    ret->n_weight_devices++;
  }
  for (size_t k = 0; k < OCI_BLOCK_RATES; k++) {
    list = NULL;
    r = get_list(object, at, names[k], sizeof *ret->rates[k].rate, &list, &ret->rates[k].rate, err);
    if (r < 0) return r;
    json_array_foreach(list, i, item) {
      json_at_index(path, at, names[k], i);
      r = read_rate(item, path, &ret->rates[k].rate[i], err);
      if (r < 0) return r;
      ret->rates[k].n++;
    }
  }
  return 0;
}

/* --- network --- */

/* What is written to net_prio.ifpriomap is "NAME NUMBER": a name of an interface has no space, and no slash either. */
static bool interface_ok(const char *name) {
  return *name && strlen(name) < 16 && !strpbrk(name, " \t\n/");
}

int oci_resources_priorities(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = get_list(object, at, "priorities", sizeof *ret->net_priorities, &list, &ret->net_priorities, err);
  if (r < 0) return r;
  json_array_foreach(list, i, item) {
    char path[JSON_AT_MAX];
    int64_t priority = 0;
    json_at_index(path, at, "priorities", i);
    r = json_get_string(item, path, "name", true, &ret->net_priorities[i].name, err);
    if (r == 0 && !interface_ok(ret->net_priorities[i].name)) r = wrong(err, path, "name", "the name of a network interface");
    if (r == 0) r = need_int(item, path, "priority", 0, UINT32_MAX, &priority, err);
    if (r < 0) return r;
    ret->net_priorities[i].priority = (uint32_t)priority;
    ret->n_net_priorities++;
  }
  return 0;
}

/* --- devices --- */

static int read_rule(const json_t *item, const char *at, struct oci_device_rule *ret, struct err *err) {
  const char *type = "a", *access = "rwm";
  json_t *allow = NULL;
  *ret = (struct oci_device_rule){.major = -1, .minor = -1};
  int r = json_get(item, at, "allow", JSON_TRUE, true, &allow, err);
  if (r == 0) r = json_get_string(item, at, "type", false, &type, err);
  if (r == 0) r = json_get_string(item, at, "access", false, &access, err);
  if (r == 0) r = json_get_int(item, at, "major", -1, UINT32_MAX, &ret->major, err);
  if (r == 0) r = json_get_int(item, at, "minor", -1, UINT32_MAX, &ret->minor, err);
  if (r < 0) return r;
  /* "u" is a character device without a buffer, as mknod(1) has it. */
  if (strcmp(type, "") && strcmp(type, "a") && strcmp(type, "b") && strcmp(type, "c") && strcmp(type, "u"))
    return wrong(err, at, "type", "a, b or c");
  if (access[strspn(access, "rwm")]) return wrong(err, at, "access", "some of r, w and m");
  if (!*access) access = "rwm";
  ret->allow = json_is_true(allow);
  ret->type = *type == 'u' ? 'c' : *type ? *type : 'a';
  size_t n = 0;
  for (const char *p = "rwm"; *p; p++)
    if (strchr(access, *p)) ret->access[n++] = *p;
  return 0;
}

int oci_resources_devices(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = get_list(object, at, "devices", sizeof *ret->devices, &list, &ret->devices, err);
  if (r < 0) return r;
  ret->has_devices = list != NULL;
  json_array_foreach(list, i, item) {
    char path[JSON_AT_MAX];
    json_at_index(path, at, "devices", i);
    r = read_rule(item, path, &ret->devices[i], err);
    if (r < 0) return r;
    ret->n_devices++;
  }
  return 0;
}

/* --- hugetlb, rdma, unified --- */

/* It becomes part of a file's name: "64KB", "2MB", "1GB". */
static bool page_size_ok(const char *size) {
  size_t digits = strspn(size, "0123456789");
  return digits > 0 && digits < 10 && strchr("KMG", size[digits]) && size[digits] && !strcmp(size + digits + 1, "B");
}

int oci_resources_huge_pages(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = get_list(object, at, "hugepageLimits", sizeof *ret->huge_pages, &list, &ret->huge_pages, err);
  if (r < 0) return r;
  json_array_foreach(list, i, item) {
    char path[JSON_AT_MAX];
    int64_t limit = 0;
    json_at_index(path, at, "hugepageLimits", i);
    r = json_get_string(item, path, "pageSize", true, &ret->huge_pages[i].size, err);
    if (r == 0 && !page_size_ok(ret->huge_pages[i].size)) r = wrong(err, path, "pageSize", "a size as 64KB, 2MB, 1GB");
    if (r == 0 && !json_object_get(item, "limit")) r = wrong(err, path, "limit", "a whole number");
    if (r == 0) r = oci_resources_huge(item, path, "limit", &limit, err);
    if (r < 0) return r;
    ret->huge_pages[i].limit = (uint64_t)limit;
    ret->n_huge_pages++;
  }
  return 0;
}

/* The entries of an object, with room for as many of `size`. */
static int get_map(const json_t *object, const char *at, const char *key, size_t size, json_t **ret, void *ret_room, struct err *err) {
  int r = json_get(object, at, key, JSON_OBJECT, false, ret, err);
  if (r < 0 || !*ret) return r;
  if (json_object_size(*ret) > LIST_MAX) return wrong(err, at, key, "fewer entries");
  void *room = calloc(json_object_size(*ret) + 1, size);
  if (!room) return err_set(err, ENOMEM, "config", "%s.%s", at, key);
  memcpy(ret_room, &room, sizeof room);
  return 0;
}

int oci_resources_rdma(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  char path[JSON_AT_MAX], below[JSON_AT_MAX];
  json_t *map = NULL, *value;
  const char *name;
  int r = get_map(object, at, "rdma", sizeof *ret->rdma, &map, &ret->rdma, err);
  if (r < 0) return r;
  json_at(path, at, "rdma");
  json_object_foreach(map, name, value) {
    struct oci_rdma *to = &ret->rdma[ret->n_rdma];
    *to = (struct oci_rdma){.device = name, .handles = OCI_UNSET, .objects = OCI_UNSET};
    if (!*name || strpbrk(name, " \t\n") || !json_is_object(value)) return wrong(err, path, name, "an object, by the name of a device");
    json_at(below, path, name);
    r = json_get_int(value, below, "hcaHandles", 0, UINT32_MAX, &to->handles, err);
    if (r == 0) r = json_get_int(value, below, "hcaObjects", 0, UINT32_MAX, &to->objects, err);
    if (r < 0) return r;
    ret->n_rdma++;
  }
  return 0;
}

/*
 * Files of cgroup2's core move processes, freeze or end them, or say what is below: none of those is a limit. What limits the number of
 * cgroups below is one, and cgroup.pressure saves time.
 */
static bool unified_ok(const char *file) {
  static const char *const core[] = {"cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"};
  const char *dot = strchr(file, '.');
  if (strchr(file, '/') || !dot || dot == file || !dot[1] || strstr(file, "..") || strlen(file) > 255) return false;
  if (strncmp(file, "cgroup.", 7)) return true;
  for (size_t i = 0; i < N_ELEMENTS(core); i++)
    if (!strcmp(file, core[i])) return true;
  return false;
}

int oci_resources_unified(const json_t *object, const char *at, struct oci_resources *ret, struct err *err) {
  char path[JSON_AT_MAX];
  json_t *map = NULL, *value;
  const char *file;
  int r = get_map(object, at, "unified", sizeof *ret->unified, &map, &ret->unified, err);
  if (r < 0) return r;
  json_at(path, at, "unified");
  json_object_foreach(map, file, value) {
    if (!unified_ok(file)) return wrong(err, path, file, "the name of a limit, CONTROLLER.PARAMETER");
    r = json_get_string(map, path, file, true, &ret->unified[ret->n_unified].value, err);
    if (r < 0) return r;
    ret->unified[ret->n_unified++].file = file;
  }
  return 0;
}
