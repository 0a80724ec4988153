/* A mutator for JSON texts (libFuzzer's LLVMFuzzerCustomMutator): changes the tree, so that most inputs reach what reads it. */
#pragma once
#include <jansson.h>

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { JSON_SLOTS = 2048 };

/* Where a value hangs. */
struct json_slot {
  json_t *parent;
  const char *key; /* NULL: the index */
  size_t index;
};

static size_t json_slots(json_t *tree, struct json_slot *slots, size_t n) {
  const char *key;
  json_t *value;
  size_t i;
  if (json_is_object(tree)) {
    json_object_foreach(tree, key, value) {
      if (n < JSON_SLOTS) slots[n++] = (struct json_slot){tree, key, 0};
      n = json_slots(value, slots, n);
    }
  } else {
    json_array_foreach(tree, i, value) {
      if (n < JSON_SLOTS) slots[n++] = (struct json_slot){tree, NULL, i};
      n = json_slots(value, slots, n);
    }
  }
  return n;
}

static json_t *json_slot_value(const struct json_slot *s) {
  return s->key ? json_object_get(s->parent, s->key) : json_array_get(s->parent, s->index);
}

static json_t *json_other(json_t *value, unsigned seed) {
  static const json_int_t numbers[] = {0, 1, -1, 2, 255, 65535, UINT32_MAX, (json_int_t)UINT32_MAX - 1, INT64_MAX, INT64_MIN};
  static const char *const words[] = {"", "/", ".", "..", "/a/../b", "a", "0-3,7", "a:b:c", "rw", "=", "A=", "user"};
  if (json_is_string(value) && seed % 3) {
    uint8_t text[512];
    size_t len = json_string_length(value) < sizeof text ? json_string_length(value) : sizeof text;
    memcpy(text, json_string_value(value), len);
    json_t *string = json_stringn((const char *)text, LLVMFuzzerMutate(text, len, sizeof text));
    return string ? string : json_string("");
  }
  if (json_is_integer(value) && seed % 3) return json_integer(numbers[seed / 3 % N_ELEMENTS(numbers)]);
  switch (seed / 3 % 8) {
    case 0:
      return json_object();
    case 1:
      return json_array();
    case 2:
      return json_null();
    case 3:
      return json_true();
    case 4:
      return json_real(1.5);
    case 5:
      return json_integer(numbers[seed / 24 % N_ELEMENTS(numbers)]);
    default:
      return json_string(words[seed / 24 % N_ELEMENTS(words)]);
  }
}

static void json_change(const struct json_slot *slots, size_t n, unsigned seed) {
  const struct json_slot *to = &slots[seed % n], *from = &slots[seed / 7 % n];
  json_t *copy = json_deep_copy(json_slot_value(from));
  switch (seed / 5 % 5) {
    case 0:
      (void)(to->key ? json_object_del(to->parent, to->key) : json_array_remove(to->parent, to->index));
      break;
    case 1:
      (void)(to->key ? json_object_set(to->parent, to->key, copy) : json_array_set(to->parent, to->index, copy));
      break;
    case 2:
      (void)(to->key ? json_object_set(to->parent, from->key ? from->key : "x", copy) : json_array_insert(to->parent, to->index, copy));
      break;
    default: {
      json_t *other = json_other(json_slot_value(to), seed / 25);
      (void)(to->key ? json_object_set_new(to->parent, to->key, other) : json_array_set_new(to->parent, to->index, other));
    }
  }
  json_decref(copy);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  static struct json_slot slots[JSON_SLOTS];
  /* One in four as bytes, for the text around the values: numbers beyond jansson's, broken strings. */
  json_t *tree = seed % 4 ? json_loadb((const char *)data, size, 0, NULL) : NULL;
  const size_t n = tree ? json_slots(tree, slots, 0) : 0;
  size_t len = 0;
  if (n) {
    json_change(slots, n, seed / 4);
    len = json_dumpb(tree, (char *)data, max_size, JSON_COMPACT);
  }
  json_decref(tree);
  return len && len <= max_size ? len : LLVMFuzzerMutate(data, size, max_size);
}
