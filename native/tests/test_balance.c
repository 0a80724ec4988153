/* Whose turn it is among a Service's pods, whom a client comes to, and ranges of addresses. */
#include <arpa/inet.h>

#include "expect.h"
#include "lib/backends.h"
#include "lib/cidr.h"

static struct address at(const char *text) {
  struct address a = {0};
  if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1)
    a.family = AF_INET;
  else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1)
    a.family = AF_INET6;
  return a;
}

static void test_cidr(void) {
  static const struct {
    const char *range, *in, *out;
  } cases[] = {
      {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"}, {"10.128.0.0/9", "10.128.0.1", "10.127.255.255"},
      {"0.0.0.0/0", "1.2.3.4", "::1"},          {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
      {"fd00::/7", "fdff::1", "fe00::"},        {"::/0", "fd00::1", "10.0.0.1"},
      {"fd00::5/128", "fd00::5", "fd00::4"},
  };
  struct cidr range;
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    struct address in = at(cases[i].in), out = at(cases[i].out);
    EXPECT(cidr_parse(cases[i].range, &range) && cidr_holds(&range, &in) && !cidr_holds(&range, &out));
  }
  static const char *const bad[] = {"", "/8", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "localhost/8", "10.0.0.0/8/8"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(!cidr_parse(bad[i], &range));
}

static char path[] = "/tmp/test_balance.XXXXXX";

static void list(const char *text) {
  FILE *f = fopen(path, "w");
  if (!f) abort();
  fputs(text, f);
  fclose(f);
}

static struct backends all;

static size_t look(const char *text) {
  size_t n = 0;
  list(text);
  all.stamp[1] = -1; /* the clock may not have moved on */
  backends_look(&all, -1);
  for (struct backend *one = all.first; one; one = one->next) {
    n += one->listed;
    one->ready = one->listed;
    one->up = true;
  }
  return n;
}

static void test_list(void) {
  all = (struct backends){.path = path};
  EXPECT(look("a 80\nb 81\n") == 2 && all.first->port == 80 && !strcmp(all.first->next->pod, "b"));
  EXPECT(look("b 81\nc 82\n../x 1\n.y 2\nz\nz 0\nz 65536\n 5\n") == 2);
  EXPECT(!all.first->listed && all.first->next->listed && !all.first->next->next->next);
  backends_forget(&all);
  EXPECT(!strcmp(all.first->pod, "b"));
  EXPECT(look("") == 0);
  backends_forget(&all);
  EXPECT(!all.first);
  unlink(path);
  backends_look(&all, -1);
  EXPECT(!all.first);
}

static void test_pick(void) {
  all = (struct backends){.path = path};
  look("a 80\nb 80\nc 80\n");
  struct backend *a = all.first, *b = a->next, *c = b->next;
  int got[3] = {0};
  for (int i = 0; i < 9; i++) {
    struct backend *one = backends_pick(&all, NULL, NULL, 0);
    got[one == a ? 0 : one == b ? 1 : 2]++;
  }
  EXPECT(got[0] == 3 && got[1] == 3 && got[2] == 3);
  EXPECT(backends_pick(&all, NULL, a, 0) != a);
  b->up = false;
  c->ready = false;
  for (int i = 0; i < 3; i++) EXPECT(backends_pick(&all, NULL, NULL, 0) == a);
  EXPECT(!backends_pick(&all, NULL, a, 0));
  /* One that has just refused comes last, and is better than none. */
  b->up = true;
  a->later = 10;
  EXPECT(backends_pick(&all, NULL, NULL, 5) == b && backends_pick(&all, NULL, b, 5) == a);
  a->later = 0;
  c->ready = true;

  /* A client has one pod, whatever its port; only those of a pod that goes move. */
  struct backend *of[64];
  int moved = 0, used[3] = {0};
  for (int i = 0; i < 64; i++) {
    char text[32];
    snprintf(text, sizeof text, "10.0.0.%d", i);
    struct address client = at(text);
    of[i] = backends_pick(&all, &client, NULL, 0);
    used[of[i] == a ? 0 : of[i] == b ? 1 : 2]++;
    address_set_port(&client, 4711);
    EXPECT(backends_pick(&all, &client, NULL, 0) == of[i]);
    c->ready = false;
    moved += of[i] != c && backends_pick(&all, &client, NULL, 0) != of[i];
    c->ready = true;
  }
  struct address client = at("10.0.0.1");
  of[1]->up = false;
  EXPECT(!backends_pick(&all, &client, NULL, 5));
  of[1]->again = 10;
  EXPECT(backends_pick(&all, &client, NULL, 5) && backends_pick(&all, &client, NULL, 5) != of[1]);
  EXPECT(moved == 0 && used[0] > 5 && used[1] > 5 && used[2] > 5);
  backends_free(&all);
}

int main(void) {
  int fd = mkstemp(path);
  if (fd < 0) return 1;
  close(fd);
  test_cidr();
  test_list();
  test_pick();
  unlink(path);
  return expect_end("balance");
}
