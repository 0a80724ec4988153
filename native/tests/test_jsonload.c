/* JSON with numbers up to 2^64-1: which are taken, as what, and that text around them stays as it is. */
#include "lib/jsonload.h"

#include "expect.h"

static const struct {
  const char *text;
  bool loads, reads; /* as a uint64 */
  uint64_t value;
} numbers[] = {
    {"0", true, true, 0},
    {"9223372036854775807", true, true, INT64_MAX},
    {"9223372036854775808", true, true, 1ull << 63},
    {"18446744073709551614", true, true, UINT64_MAX - 1},
    {"18446744073709551615", true, true, UINT64_MAX},
    {"18446744073709551616", false, false, 0},
    {"99999999999999999999", false, false, 0},
    {"184467440737095516150", false, false, 0},
    {"-1", true, false, 0},
    {"-9223372036854775808", true, false, 0},
    {"-9223372036854775809", false, false, 0},
    {"9223372036854775808.0", true, false, 0},
    {"92233720368547758e10", true, false, 0},
    {"00000000000000000001", false, false, 0},
    {"09223372036854775808", false, false, 0},
    {"\"18446744073709551615\"", true, false, 0},
    {"\"a\\\"18446744073709551615\"", true, false, 0},
    {"\"\\\\\"", true, false, 0},
    {"18446744073709551615x", false, false, 0},
    {"x18446744073709551615", false, false, 0},
};

static void test_numbers(void) {
  for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
    char text[80];
    json_error_t where;
    uint64_t value = 0;
    snprintf(text, sizeof text, "{\"n\":%s}", numbers[i].text);
    json_t *tree = json_load(text, strlen(text), &where);
    if (!!tree != numbers[i].loads) fprintf(stderr, "loads: %s\n", text);
    EXPECT(!!tree == numbers[i].loads);
    bool reads = json_uint64(json_object_get(tree, "n"), &value);
    if (reads != numbers[i].reads || value != numbers[i].value) fprintf(stderr, "reads: %s\n", text);
    EXPECT(reads == numbers[i].reads && value == numbers[i].value);
    json_decref(tree);
  }
}

static void test_around(void) {
  static const char text[] =
      "{\"a\":\"18446744073709551615\",\"b\\\"\":[18446744073709551615,1,9223372036854775808],\"c\":1.5,\"d\":{\"e\":\"\\\\\"}}";
  json_error_t where;
  uint64_t value = 0;
  json_t *tree = json_load(text, strlen(text), &where);
  EXPECT(tree && json_object_size(tree) == 4);
  EXPECT(!strcmp(json_string_value(json_object_get(tree, "a")), "18446744073709551615"));
  json_t *list = json_object_get(tree, "b\"");
  EXPECT(json_array_size(list) == 3 && json_uint64(json_array_get(list, 0), &value) && value == UINT64_MAX);
  EXPECT(json_integer_value(json_array_get(list, 1)) == 1);
  EXPECT(json_uint64(json_array_get(list, 2), &value) && value == 1ull << 63);
  EXPECT(!strcmp(json_string_value(json_object_get(json_object_get(tree, "d"), "e")), "\\"));
  json_decref(tree);
  EXPECT(!json_load("{\"a\":1,\"a\":2}", 13, &where));
  /* Not NUL-terminated, cut anywhere: nothing is read behind the end (make asan). */
  for (size_t len = 0; len < strlen(text); len++) {
    cleanup_free char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    EXPECT(!json_load(copy, len, &where));
  }
}

static void test_get(void) {
  json_error_t where;
  struct err err = {0};
  static const char text[] = "{\"a\":18446744073709551615,\"b\":-1,\"c\":\"1\",\"d\":null,\"e\":70000}";
  json_t *tree = json_load(text, strlen(text), &where);
  uint64_t value = 7;
  EXPECT(json_get_uint64(tree, "", "x", 1, &value, &err) == 0 && value == 7);
  EXPECT(json_get_uint64(tree, "", "d", 1, &value, &err) == 0 && value == 7);
  EXPECT(json_get_uint64(tree, "", "a", UINT64_MAX, &value, &err) == 0 && value == UINT64_MAX);
  EXPECT(json_get_uint64(tree, "o", "a", INT64_MAX, &value, &err) < 0 && strstr(err.what, "o.a: expected a whole number from 0 to 9223"));
  EXPECT(json_get_uint64(tree, "o", "b", UINT64_MAX, &value, &err) < 0 && strstr(err.what, "o.b: expected"));
  EXPECT(json_get_uint64(tree, "o", "c", UINT64_MAX, &value, &err) < 0 && strstr(err.what, "o.c: expected"));
  EXPECT(json_get_uint64(tree, "o", "e", 65535, &value, &err) < 0 && strstr(err.what, "o.e: expected a whole number from 0 to 65535"));
  json_decref(tree);
}

int main(void) {
  test_numbers();
  test_around();
  test_get();
  return expect_end("jsonload");
}
