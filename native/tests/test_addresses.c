/* Addresses: marks in text, and those of this machine. */
#include "lib/addresses.h"

#include <arpa/inet.h>

#include "expect.h"

static void expands(const struct address_pair *pair, const char *text, const char *wanted) {
  cleanup_free char *got = addresses_expand(pair, text);
  if (!got || strcmp(got, wanted)) fprintf(stderr, "%s\n", got ? got : "NULL");
  EXPECT(got && !strcmp(got, wanted));
}

int main(void) {
  const struct address_pair both = {.pod = {"192.0.2.7", "2001:db8::7"}, .host = {"198.51.100.1", ""}}, none = {0};
  expands(&both, "", "");
  expands(&both, "plain {podIP}", "plain {podIP}");
  expands(&both, "A=\x01{podIP}", "A=192.0.2.7");
  expands(&both, "\x01{podIPs}:80,\x01{hostIP}", "192.0.2.7,2001:db8::7:80,198.51.100.1");
  expands(&both, "\x01{hostIPs}\x01{other}\x01", "198.51.100.1\x01{other}\x01");
  expands(&none, "\x01{podIP}/\x01{hostIPs}", "127.0.0.1/127.0.0.1");
  const struct address_pair v6 = {.pod = {"", "2001:db8::7"}};
  expands(&v6, "\x01{podIP} \x01{podIPs}", "2001:db8::7 2001:db8::7");
  char *list[] = {strdup("X=\x01{podIP}"), strdup("Y"), NULL};
  EXPECT(addresses_expand_all(&both, list) == 0 && !strcmp(list[0], "X=192.0.2.7") && !strcmp(list[1], "Y"));
  free(list[0]);
  free(list[1]);

  struct addresses own;
  struct in6_addr parsed;
  addresses_find(&own);
  EXPECT(!*own.v4 || inet_pton(AF_INET, own.v4, &parsed) == 1);
  EXPECT(!*own.v6 || inet_pton(AF_INET6, own.v6, &parsed) == 1);
  return expect_end("addresses");
}
