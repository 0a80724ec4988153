/* The parts of reading an OCI configuration, and what they share; spec.h is for everybody else. */
#pragma once
#include "lib/jsonget.h"
#include "lib/jsonload.h"
#include "spec.h"

enum {
  OCI_CONFIG_MAX = 16 * 1024 * 1024, /* bytes of config.json; no list in it has a limit of its own but where the kernel has one */
  OCI_LIST_MAX = OCI_CONFIG_MAX,
};

/* Reads one object of a list into a zeroed element. */
typedef int oci_element(const json_t *item, const char *at, void *element, struct err *err);
/*
 * A list of objects: *ret (a pointer to a pointer) is a new array of elements of `size` bytes, *ret_n how many of it were begun, also on
 * failure, so that they can be freed.
 */
int oci_read_list(const json_t *object, const char *at, const char *key, size_t max, size_t size, oci_element *read, void *ret,
                  size_t *ret_n, struct err *err);
/* An object of strings, {"a":"b"}; no name is empty. */
int oci_read_pairs(const json_t *object, const char *at, const char *key, struct oci_pair **ret, size_t *ret_n, struct err *err);
/* An error when the member is absent or null. */
int oci_required(const json_t *object, const char *at, const char *key, struct err *err);
/* A whole number that must be there. */
int oci_read_number(const json_t *object, const char *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err);
/* A string; "" is as good as absent (Go's zero value). */
int oci_read_text(const json_t *object, const char *at, const char *key, const char **ret, struct err *err);
/* An absolute path that must be there. */
int oci_read_path(const json_t *object, const char *at, const char *key, const char **ret, struct err *err);

/* One of a table's words. */
struct oci_word {
  const char *word;
  uint64_t value;
};
int oci_read_word(const json_t *object, const char *at, const char *key, const struct oci_word *words, size_t n, uint64_t *ret,
                  struct err *err);
/* The bits of a list of a table's words. */
int oci_read_flags(const json_t *object, const char *at, const char *key, const struct oci_word *words, size_t n, uint64_t *ret,
                   struct err *err);

/* uidMappings, gidMappings. */
int oci_read_id_map(const json_t *object, const char *at, const char *key, struct oci_id_map **ret, size_t *ret_n, struct err *err);

/* Parts of oci_process_parse; `tree` is the process. */
int oci_read_identity(const json_t *tree, const char *at, struct oci_process *ret, struct err *err);
int oci_read_rights(const json_t *tree, const char *at, struct oci_process *ret, struct err *err);
int oci_read_scheduling(const json_t *tree, const char *at, struct oci_process *ret, struct err *err);

/* Parts of oci_spec_parse; `tree` is the whole, `section` its member linux. */
int oci_read_mounts(const json_t *tree, struct oci_spec *ret, struct err *err);
int oci_read_hooks(const json_t *tree, struct oci_spec *ret, struct err *err);
int oci_read_linux(const json_t *section, struct oci_spec *ret, struct err *err);
int oci_read_namespaces(const json_t *section, struct oci_spec *ret, struct err *err);
int oci_read_devices(const json_t *section, struct oci_spec *ret, struct err *err);
