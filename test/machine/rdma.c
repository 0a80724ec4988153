/* For rdma.test.ts: `rdma new` makes the RDMA device rxe0 (by software, on lo); `rdma take` says how much of one a process may have. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 8 };

static void put(struct nlmsghdr *m, unsigned short type, const char *text) {
  struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->nlmsg_len));
  a->nla_type = type;
  a->nla_len = (unsigned short)(NLA_HDRLEN + strlen(text) + 1);
  strcpy((char *)a + NLA_HDRLEN, text);
  m->nlmsg_len = NLMSG_ALIGN(m->nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static int make(void) {
  _Alignas(struct nlmsghdr) char buf[512] = {0};
  struct nlmsghdr *m = (struct nlmsghdr *)buf;
  const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_RDMA);
  *m = (struct nlmsghdr){.nlmsg_len = NLMSG_HDRLEN,
                         .nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK),
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
  put(m, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
  put(m, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
  put(m, RDMA_NLDEV_ATTR_NDEV_NAME, "lo");
  if (send(fd, m, m->nlmsg_len, 0) < 0 || recv(fd, buf, sizeof buf, 0) < 0) return perror("netlink"), 1;
  const struct nlmsgerr *e = NLMSG_DATA(m);
  if (e->error) fprintf(stderr, "newlink: %s\n", strerror(-e->error));
  return e->error != 0;
}

/* A context of the device is a handle, a protection domain in it an object (cgroup-v2.rst, "RDMA"). */
static int command(int fd, unsigned number) {
  struct {
    struct ib_uverbs_cmd_hdr header;
    __u64 response;
  } c = {{.command = number, .in_words = sizeof c / 4, .out_words = 2}, 0};
  __u32 answer[8];
  if (number == IB_USER_VERBS_CMD_ALLOC_PD) c.header.out_words = 1;
  c.response = (__u64)(unsigned long)answer;
  return write(fd, &c, sizeof c) == sizeof c;
}

static int take(void) {
  int fd[TRIES], handles = 0, objects = 0;
  for (int i = 0; i < TRIES; i++) {
    fd[i] = open("/dev/infiniband/uverbs0", O_RDWR);
    if (fd[i] < 0) return perror("uverbs0"), 1;
    handles += command(fd[i], IB_USER_VERBS_CMD_GET_CONTEXT);
  }
  for (int i = 0; handles && i < TRIES; i++) objects += command(fd[0], IB_USER_VERBS_CMD_ALLOC_PD);
  printf("handles %d objects %d\n", handles, objects);
  return 0;
}

int main(int argc, char **argv) {
  return argc == 2 && !strcmp(argv[1], "new") ? make() : take();
}
