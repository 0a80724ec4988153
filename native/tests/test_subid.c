/* Ranges of /etc/subuid: by name and by number, many lines, and lines no kernel would take. */
#include <fcntl.h>

#include "expect.h"
#include "lib/subid.h"

static char path[] = "/tmp/test_subid.XXXXXX";

static void put(const char *text) {
  FILE *f = fopen(path, "w");
  if (!f) abort();
  fputs(text, f);
  fclose(f);
}

static void test_read(void) {
  struct subid ids;
  EXPECT(subid_read("/nonexistent/subuid", "alice", 1000, 1000, &ids) == 0 && ids.n == 0);
  put("");
  EXPECT(subid_read(path, "alice", 1000, 1000, &ids) == 0 && ids.n == 0);

  put("bob:500000:65536\nalice:300000:10\n1000:100000:65536\n# note\nalice2:1:1\nalice:200000:1");
  EXPECT(subid_read(path, "alice", 1000, 1000, &ids) == 0);
  EXPECT(ids.n == 3);
  EXPECT(ids.range[0].first == 100000 && ids.range[0].count == 65536);
  EXPECT(ids.range[1].first == 200000 && ids.range[1].count == 1);
  EXPECT(ids.range[2].first == 300000 && ids.range[2].count == 10);

  put("alice:100000:65536\nalice:100000:65536\nalice:165535:2\nalice:165536:2\nalice:900:200\n");
  EXPECT(subid_read(path, "alice", 1000, 1000, &ids) == 0);
  EXPECT(ids.n == 2); /* the twin, the overlap and the one that holds 1000 itself are out */
  EXPECT(ids.range[1].first == 165536);

  put("alice\nalice:\nalice:1\nalice:x:5\nalice:5:x\nalice:5:0\nalice:-5:7\nalice:5:-7\nalice:4294967295:1\nalice:1:4294967295\nalice:"
      "99999999999999999999:1\n"
      "alice:5000:7 \n:6000:7\n");
  EXPECT(subid_read(path, "alice", 1000, 1000, &ids) == 0 && ids.n == 0);

  FILE *f = fopen(path, "w");
  for (unsigned i = 0; f && i < 2 * SUBID_MAX; i++) fprintf(f, "alice:%u:5\n", 100000 + i * 10);
  if (f) fclose(f);
  EXPECT(subid_read(path, "alice", 1000, 1000, &ids) == 0 && ids.n == SUBID_MAX);
}

static void test_free(void) {
  put("");
  EXPECT(subid_first_free(path, "/nonexistent/subgid") == 100000);
  put("bob:100000:65536\nbob:300000:1\n");
  EXPECT(subid_first_free("/nonexistent/subuid", path) == 327680);
}

static void test_name(void) {
  char name[64];
  subid_user_name(0, name);
  EXPECT(!strcmp(name, "root"));
  subid_user_name(4000000001u, name);
  EXPECT(!strcmp(name, "4000000001"));
}

int main(void) {
  int fd = mkstemp(path);
  if (fd < 0) return 1;
  close(fd);
  test_read();
  test_free();
  test_name();
  unlink(path);
  return expect_end("subid");
}
