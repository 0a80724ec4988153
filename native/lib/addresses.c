/* Addresses of a network namespace: see addresses.h. */
#include "addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

/* Networks of documentation (RFC 5737, RFC 3849), on no machine's own link: the route is the default one's. */
static const char *const far_away[] = {"192.0.2.1", "2001:db8::1"};

static bool to_text(const struct sockaddr *sa, char ret[INET6_ADDRSTRLEN]) {
  const void *address = sa->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
                                                 : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;
  return inet_ntop(sa->sa_family, address, ret, INET6_ADDRSTRLEN) != NULL;
}

/* A UDP socket that is connected has chosen its own address, and has sent nothing. */
static bool by_route(int family, char ret[INET6_ADDRSTRLEN]) {
  struct sockaddr_storage sa = {.ss_family = (sa_family_t)family};
  struct sockaddr_in *in = (struct sockaddr_in *)&sa;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
  const socklen_t len = family == AF_INET ? sizeof *in : sizeof *in6;
  if (family == AF_INET) {
    in->sin_port = htons(9);
    inet_pton(AF_INET, far_away[0], &in->sin_addr);
  } else {
    in6->sin6_port = htons(9);
    inet_pton(AF_INET6, far_away[1], &in6->sin6_addr);
  }
  socklen_t size = sizeof sa;
  cleanup_fd int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&sa, len) < 0 || getsockname(fd, (struct sockaddr *)&sa, &size) < 0) return false;
  return to_text((struct sockaddr *)&sa, ret);
}

static bool is_global(const struct sockaddr *sa) {
  if (sa->sa_family == AF_INET) return (ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr) >> 16) != 0xa9fe;
  return !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)sa)->sin6_addr);
}

static void by_interface(const struct ifaddrs *list, int family, char ret[INET6_ADDRSTRLEN]) {
  for (; list; list = list->ifa_next) {
    if (!list->ifa_addr || list->ifa_addr->sa_family != family || !(list->ifa_flags & IFF_UP) || list->ifa_flags & IFF_LOOPBACK) continue;
    if (is_global(list->ifa_addr) && to_text(list->ifa_addr, ret)) return;
  }
  ret[0] = 0;
}

void addresses_find(struct addresses *ret) {
  const bool v4 = by_route(AF_INET, ret->v4), v6 = by_route(AF_INET6, ret->v6);
  struct ifaddrs *list = NULL;
  if (v4 && v6) return;
  (void)getifaddrs(&list);
  if (!v4) by_interface(list, AF_INET, ret->v4);
  if (!v6) by_interface(list, AF_INET6, ret->v6);
  if (list) freeifaddrs(list);
}

/* --- into text --- */

enum { VALUE_MAX = 2 * INET6_ADDRSTRLEN + 1 };

static void value_of(const struct addresses *a, bool all, char ret[VALUE_MAX]) {
  const char *first = *a->v4 ? a->v4 : *a->v6 ? a->v6 : "127.0.0.1";
  const bool both = all && *a->v4 && *a->v6;
  snprintf(ret, VALUE_MAX, "%s%s%s", first, both ? "," : "", both ? a->v6 : "");
}

static const char *mark_at(const char *text, const struct address_pair *pair, size_t *ret_len, char value[VALUE_MAX]) {
  static const struct {
    const char *mark;
    bool host, all;
  } marks[] = {{"\x01{podIP}", false, false}, {"\x01{podIPs}", false, true}, {"\x01{hostIP}", true, false}, {"\x01{hostIPs}", true, true}};
  for (const char *p = strchr(text, '\x01'); p; p = strchr(p + 1, '\x01'))
    for (size_t i = 0; i < N_ELEMENTS(marks); i++) {
      *ret_len = strlen(marks[i].mark);
      if (strncmp(p, marks[i].mark, *ret_len) != 0) continue;
      value_of(marks[i].host ? &pair->host : &pair->pod, marks[i].all, value);
      return p;
    }
  return NULL;
}

char *addresses_expand(const struct address_pair *pair, const char *text) {
  char *done = strdup("");
  size_t len;
  char value[VALUE_MAX];
  for (const char *at; done && (at = mark_at(text, pair, &len, value)); text = at + len) {
    char *more = xformat("%s%.*s%s", done, (int)(at - text), text, value);
    free(done);
    done = more;
  }
  char *ret = done ? xformat("%s%s", done, text) : NULL;
  free(done);
  return ret;
}

int addresses_expand_all(const struct address_pair *pair, char **texts) {
  for (; texts && *texts; texts++) {
    if (!strchr(*texts, '\x01')) continue;
    char *text = addresses_expand(pair, *texts);
    if (!text) return -ENOMEM;
    free(*texts);
    *texts = text;
  }
  return 0;
}
