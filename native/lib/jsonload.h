/* JSON text as Go programs write it, into a tree: numbers up to 2^64-1, and no member twice. */
#pragma once
#include <jansson.h>

#include "util.h"

/*
 * As json_loadb(3) with JSON_REJECT_DUPLICATES, but whole numbers from 2^63 to 2^64-1 are taken too (RLIM_INFINITY, cgroup's limits;
 * jansson itself refuses them). They are no JSON_INTEGER in the tree: json_get_uint64 reads them, every other reader finds a wrong type.
 */
json_t *json_load(const char *text, size_t len, json_error_t *where);
/* A member of 0 to max; the other rules are jsonget.h's. */
int json_get_uint64(const json_t *object, const char *at, const char *key, uint64_t max, uint64_t *ret, struct err *err);
/* The same for a value by itself: false when it is no such number. */
bool json_uint64(const json_t *value, uint64_t *ret);
