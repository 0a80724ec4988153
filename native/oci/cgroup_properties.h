/* Limits as properties of a unit of systemd, org.freedesktop.systemd1(5) and systemd.resource-control(5), in D-Bus's wire format. */
#pragma once
#include "lib/dbus.h"
#include "resources.h"
#include "spec.h"

/* Names of properties that this systemd does not know: they are left out. */
struct cg_unknown {
  char name[16][40];
  size_t n;
};

struct cg_properties {
  struct dbus_out *o; /* within an array of structs of a name and a variant */
  const struct cg_unknown *unknown;
};

void cg_property_string(const struct cg_properties *p, const char *name, const char *value);
void cg_property_bool(const struct cg_properties *p, const char *name, bool value);
void cg_property_u64(const struct cg_properties *p, const char *name, uint64_t value);
void cg_property_u32s(const struct cg_properties *p, const char *name, const uint32_t *value, size_t n);
void cg_property_bytes(const struct cg_properties *p, const char *name, const unsigned char *value, size_t n);

/* All that systemd has a name for. `unified`: cgroup2, else v1's names. */
int cg_properties_limits(const struct cg_properties *p, const struct oci_resources *r, bool unified, struct err *err);
/*
 * v1 alone: DevicePolicy and DeviceAllow, because there systemd sets the list anew at every reload. On cgroup2 our own program stays
 * whatever systemd does.
 */
int cg_properties_devices(const struct cg_properties *p, const struct oci_resources *r, struct err *err);
/*
 * Annotations "org.systemd.property.NAME" with a value in GVariant's text format: 'text', true, 7, uint64 7, ['a', 'b']. A NAME that ends
 * in Sec is given in microseconds under its name of D-Bus, USec.
 */
int cg_properties_annotations(const struct cg_properties *p, const struct oci_pair *pairs, size_t n, struct err *err);
