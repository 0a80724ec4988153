/* rtnetlink(7), as much as rules and routes need: one request, one answer. */
#pragma once
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "util.h"

struct netlink_request {
  struct nlmsghdr header;
  char body[256];
};

struct netlink {
  int fd;
  uint32_t sequence; /* of the last request */
};

/* A socket in the present network namespace; answers are waited for at most 5 s. Close by closing fd. */
int netlink_open(struct netlink *ret);
/* Starts a request of RTM_… with its fixed part (struct rtmsg, fib_rule_hdr). */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t size);
void netlink_put(struct netlink_request *request, uint16_t attribute, const void *value, size_t size);
static inline void netlink_put_u32(struct netlink_request *request, uint16_t attribute, uint32_t value) {
  netlink_put(request, attribute, &value, sizeof value);
}
/* Sends it and gives the kernel's answer: 0 or -errno. */
int netlink_call(struct netlink *netlink, struct netlink_request *request);
