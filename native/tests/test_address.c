/* Addresses: mapping, and which clients' may be taken along. */
#include "lib/address.h"

#include <arpa/inet.h>

#include "expect.h"

static struct address parse(const char *text, uint16_t port) {
  struct address a = {0};
  if (strchr(text, ':')) {
    a.v6.sin6_family = AF_INET6;
    EXPECT(inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1);
  } else {
    a.v4.sin_family = AF_INET;
    EXPECT(inet_pton(AF_INET, text, &a.v4.sin_addr) == 1);
  }
  address_set_port(&a, port);
  return a;
}

static void test_map(void) {
  struct address a = parse("::ffff:192.0.2.1", 80), plain = parse("192.0.2.1", 80), v6 = parse("2001:db8::1", 80);
  const struct address mapped = a, same = v6;
  address_unmap(&a);
  EXPECT(a.family == AF_INET && address_equal(&a, &plain));
  address_map(&a);
  EXPECT(address_equal(&a, &mapped));
  address_unmap(&v6);
  address_map(&v6);
  EXPECT(address_equal(&v6, &same));
}

static void test_equal(void) {
  struct address a = parse("192.0.2.1", 80), b = parse("192.0.2.1", 81), c = parse("2001:db8::1", 80), d = c;
  EXPECT(address_same_host(&a, &b) && !address_equal(&a, &b) && !address_same_host(&a, &c));
  EXPECT(address_equal(&c, &d) && address_hash(&c) == address_hash(&d) && address_hash(&a) != address_hash(&b));
  d.v6.sin6_scope_id = 2;
  EXPECT(!address_equal(&c, &d));
  EXPECT(address_port(&b) == 81 && address_port(&c) == 80);
}

static void test_keepable(void) {
  static const struct {
    const char *text;
    bool keep;
  } cases[] = {
      {"192.0.2.1", true},
      {"10.0.0.1", true},
      {"223.255.255.254", true},
      {"127.0.0.1", false},
      {"127.8.9.1", false},
      {"0.0.0.0", false},
      {"0.1.2.3", false},
      {"169.254.1.1", false},
      {"224.0.0.1", false},
      {"255.255.255.255", false},
      {"2001:db8::1", true},
      {"fd00::1", true},
      {"::1", false},
      {"::", false},
      {"fe80::1", false},
      {"ff02::1", false},
      {"::ffff:192.0.2.1", false},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    struct address a = parse(cases[i].text, 1);
    EXPECT(address_keepable(&a) == cases[i].keep);
  }
}

static void test_loopback(void) {
  struct address v4 = address_loopback(AF_INET, 8080), v6 = address_loopback(AF_INET6, 8080), other = parse("127.0.0.1", 8080);
  EXPECT(address_equal(&v4, &other) && address_is_loopback(&v4) && address_is_loopback(&v6) && address_port(&v6) == 8080);
}

static void test_stand_in(void) {
  struct address v4 = address_stand_in(AF_INET), v6 = address_stand_in(AF_INET6), a = parse("192.0.2.1", 0), b = parse("2001:db8::1", 0);
  EXPECT(address_equal(&v4, &a) && address_equal(&v6, &b));
}

int main(void) {
  test_map();
  test_equal();
  test_keepable();
  test_loopback();
  test_stand_in();
  return expect_end("address");
}
