/*
 * Test tool: console SOCKET
 * Listens as conmon does for a terminal's master. Says "listening"; then the name it came by and its size; then copies until its end.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int conn, char *name, size_t len) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec iov = {.iov_base = name, .iov_len = len - 1};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC);
  int fd;
  if (n <= 0 || !CMSG_FIRSTHDR(&msg)) return -1;
  name[n] = 0;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
  return fd;
}

static int copy(int from, int to) {
  char buf[4096];
  ssize_t n = read(from, buf, sizeof buf);
  return n > 0 && write(to, buf, (size_t)n) == n;
}

int main(int argc, char **argv) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  struct winsize size = {0};
  char name[256];
  if (argc != 2) return 64;
  snprintf(a.sun_path, sizeof a.sun_path, "%s", argv[1]);
  int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(sock, (struct sockaddr *)&a, sizeof a) < 0 || listen(sock, 1) < 0) return 1;
  setvbuf(stdout, NULL, _IONBF, 0);
  puts("listening");
  int conn = accept(sock, NULL, NULL);
  int master = receive(conn, name, sizeof name);
  if (master < 0 || ioctl(master, TIOCGWINSZ, &size) < 0) return 1;
  printf("%s %ux%u\n", name, size.ws_row, size.ws_col);
  struct pollfd p[] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  while (poll(p, 2, -1) > 0) {
    if (p[0].revents && !copy(master, 1)) return 0;
    if (p[1].revents && !copy(0, master)) p[1].fd = -1;
  }
}
