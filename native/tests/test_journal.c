/* The relay against a socket of ours in journald's place: entries, a full queue, nobody there, too long for a datagram, the end. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "expect.h"
#include "lib/collect.h"
#include "lib/deadline.h"
#include "lib/journal.h"
#include "lib/relay.h"

static char folder[] = "/tmp/test_journal.XXXXXX", path[64];
static const char fields[] = "USER_UNIT=u\n";

static int listen_at(void) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  strcpy(addr.sun_path, path);
  unlink(path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0) abort();
  return fd;
}

/* One datagram as journald takes it, by memfd too; *ret_memfd says which. NULL when there is none. */
static char *receive(int fd, size_t *ret_len, bool *ret_memfd) {
  static char buf[1 << 18];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec iov = {.iov_base = buf, .iov_len = sizeof buf};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
  if (n < 0) return NULL;
  struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
  *ret_memfd = cmsg != NULL;
  char *copy;
  if (cmsg) {
    int memfd;
    struct stat st;
    memcpy(&memfd, CMSG_DATA(cmsg), sizeof memfd);
    EXPECT(fcntl(memfd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
    if (fstat(memfd, &st) < 0) abort();
    n = st.st_size;
    copy = malloc((size_t)n + 1);
    EXPECT(copy && pread(memfd, copy, (size_t)n, 0) == n);
    close(memfd);
  } else {
    copy = malloc((size_t)n + 1);
    if (copy) memcpy(copy, buf, (size_t)n);
  }
  if (!copy) abort();
  copy[n] = 0;
  *ret_len = (size_t)n;
  return copy;
}

static size_t count(const char *text, const char *word) {
  size_t n = 0;
  for (; (text = strstr(text, word)); text++) n++;
  return n;
}

/* Takes all datagrams there are; counts the entries, of which each has but one. */
static size_t drain(int fd) {
  size_t entries = 0, len;
  bool memfd;
  for (char *text; (text = receive(fd, &len, &memfd)); free(text), entries++) EXPECT(count(text, "MESSAGE=") == 1);
  return entries;
}

static void add_pipe(struct collector *c, uint32_t stream, int *ret_write) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) abort();
  EXPECT(collector_add(c, stream, &ends[0], 1, fields, sizeof fields - 1) == 0);
  *ret_write = ends[1];
}

static void run_dry(struct collector *c) {
  for (int i = 0; i < 1000 && collector_run(c) > 0; i++) {
  }
}

static void test_entries(void) {
  cleanup_fd int journald = listen_at();
  struct collector *c;
  int out, error;
  size_t len;
  bool memfd;
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  add_pipe(c, RELAY_ERR, &error);
  EXPECT(write(out, "one\ntwo\nrest", 12) == 12);
  run_dry(c);
  /* A datagram each: journald drops what follows the first entry of one (outbox.h). */
  char *text = receive(journald, &len, &memfd);
  EXPECT(text && !strcmp(text, "USER_UNIT=u\nPRIORITY=6\nMESSAGE=one\n"));
  free(text);
  text = receive(journald, &len, &memfd);
  EXPECT(text && !strcmp(text, "USER_UNIT=u\nPRIORITY=6\nMESSAGE=two\n"));
  free(text);
  EXPECT(write(error, "bad\n", 4) == 4);
  close(out);
  close(error);
  run_dry(c);
  char *both[] = {receive(journald, &len, &memfd), receive(journald, &len, &memfd)};
  EXPECT(both[0] && both[1]);
  for (size_t i = 0; i < 2; i++) EXPECT(both[i] && count(both[i], "MESSAGE=") == 1);
  EXPECT(both[0] && both[1] && !strcmp(strstr(both[0], "PRIORITY=3") ? both[0] : both[1], "USER_UNIT=u\nPRIORITY=3\nMESSAGE=bad\n"));
  EXPECT(both[0] && both[1] && !strcmp(strstr(both[0], "PRIORITY=6") ? both[0] : both[1], "USER_UNIT=u\nPRIORITY=6\nMESSAGE=rest\n"));
  for (size_t i = 0; i < 2; i++) free(both[i]);
  EXPECT(!receive(journald, &len, &memfd));
  collector_free(c);
}

static void test_long(void) {
  cleanup_fd int journald = listen_at();
  struct collector *c;
  int out;
  size_t len;
  bool memfd;
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  (void)fcntl(out, F_SETFL, O_NONBLOCK);
  static char big[400 * 1024];
  memset(big, 'x', sizeof big);
  big[sizeof big - 1] = '\n';
  for (size_t at = 0; at < sizeof big;) {
    ssize_t n = write(out, big + at, sizeof big - at);
    if (n > 0) at += (size_t)n;
    run_dry(c);
  }
  char *text = receive(journald, &len, &memfd);
  EXPECT(text && memfd && len > sizeof big && count(text, "MESSAGE=xxx") == 1 && !strstr(text, "PARTIAL"));
  free(text);
  close(out);
  collector_free(c);
}

/* Nobody reads: the queue fills, we are told so, nothing is lost, and POLLOUT comes when there is room. */
static void test_full(void) {
  cleanup_fd int journald = listen_at();
  struct collector *c;
  int out, fd, ms;
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  size_t written = 0;
  for (; written < 2000 && !collector_blocked(c, &fd, &ms); written++) {
    EXPECT(write(out, "x\n", 2) == 2);
    EXPECT(collector_run(c) >= 0);
  }
  EXPECT(collector_blocked(c, &fd, &ms) && fd >= 0);
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  EXPECT(poll(&p, 1, 0) == 0);
  EXPECT(collector_run(c) == 1 && collector_blocked(c, &fd, &ms));
  size_t got = drain(journald);
  EXPECT(poll(&p, 1, 0) == 1);
  run_dry(c);
  EXPECT(!collector_blocked(c, &fd, &ms));
  EXPECT(got + drain(journald) == written);
  close(out);
  collector_free(c);
}

/* Away, and back with a new socket. */
static void test_restart(void) {
  int journald = listen_at();
  struct collector *c;
  int out, fd, ms;
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  EXPECT(write(out, "a\n", 2) == 2);
  run_dry(c);
  EXPECT(drain(journald) == 1);
  close(journald);
  EXPECT(write(out, "b\n", 2) == 2);
  EXPECT(collector_run(c) == 1 && collector_blocked(c, &fd, &ms) && fd == -1 && ms > 0);
  unlink(path);
  EXPECT(collector_run(c) == 1 && collector_blocked(c, &fd, &ms) && fd == -1);
  journald = listen_at();
  EXPECT(write(out, "c\n", 2) == 2);
  run_dry(c);
  EXPECT(drain(journald) == 2);
  close(journald);
  close(out);
  collector_free(c);
}

/* At the end with nobody there: the rest goes to a file, which the next one sends. */
static void test_spill(void) {
  unlink(path);
  struct collector *c;
  int out, other;
  char name[] = "/tmp/test_journal_spill.XXXXXX";
  cleanup_fd int spill = mkstemp(name);
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  add_pipe(c, RELAY_OUT, &other);
  EXPECT(write(out, "a\nb\nend", 7) == 7 && write(other, "c\n", 2) == 2);
  EXPECT(collector_drain(c, clock_ms() + 100, spill) == 1);
  collector_free(c);
  close(out);
  close(other);

  cleanup_fd int journald = listen_at();
  EXPECT(collector_new(path, &c) == 0);
  EXPECT(collector_resend(c, spill) == 0);
  EXPECT(drain(journald) == 4);
  collector_free(c);
  unlink(name);
}

/* More than the journal's queue holds, and the piece of an entry behind it: sent in several goes, each line once. */
static void test_long_spill(void) {
  enum { LINES = 1500 };
  unlink(path);
  struct collector *c;
  int out, tries = 0, r;
  char name[] = "/tmp/test_journal_spill.XXXXXX";
  cleanup_fd int spill = mkstemp(name);
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  for (int i = 0; i < LINES; i++) EXPECT(write(out, "x\n", 2) == 2);
  EXPECT(collector_drain(c, clock_ms() + 100, spill) == 1);
  collector_free(c);
  close(out);
  EXPECT(write(spill, "\100\0\0\0piece", 9) == 9);

  cleanup_fd int journald = listen_at();
  EXPECT(collector_new(path, &c) == 0);
  size_t got = 0;
  while ((r = collector_resend(c, spill)) == -EAGAIN && tries++ < LINES) got += drain(journald);
  EXPECT(r == 0 && tries > 0);
  EXPECT(got + drain(journald) == LINES);
  collector_free(c);
  unlink(name);
}

static void test_drain(void) {
  cleanup_fd int journald = listen_at();
  struct collector *c;
  int out;
  EXPECT(collector_new(path, &c) == 0);
  add_pipe(c, RELAY_OUT, &out);
  EXPECT(write(out, "a\nunfinished", 12) == 12);
  int64_t before = clock_ms();
  EXPECT(collector_drain(c, before + 5000, -1) == 0);
  EXPECT(clock_ms() - before < 1000);
  EXPECT(drain(journald) == 2);
  close(out);
  collector_free(c);
}

static void test_bad_requests(void) {
  struct collector *c;
  int ends[2];
  EXPECT(collector_new(path, &c) == 0);
  const struct {
    uint32_t streams;
    size_t n;
    const char *fields;
  } bad[] = {{0, 1, "A=b\n"}, {RELAY_OUT, 0, "A=b\n"}, {RELAY_OUT | RELAY_ERR, 1, "A=b\n"},
             {8, 1, "A=b\n"}, {RELAY_OUT, 1, "A=b"},   {RELAY_OUT, 1, ""}};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    if (pipe2(ends, O_CLOEXEC) < 0) abort();
    EXPECT(collector_add(c, bad[i].streams, ends, bad[i].n, bad[i].fields, strlen(bad[i].fields)) == -EINVAL);
    EXPECT(bad[i].n == 0 || fcntl(ends[0], F_GETFD) < 0); /* taken over and closed */
    if (bad[i].n == 0) close(ends[0]);
    close(ends[1]);
  }
  collector_free(c);
}

static void test_fields(void) {
  struct err err;
  char *packed;
  size_t len;
  EXPECT(relay_fields_pack("u", "web/app", "{\"CONTAINER_NAME\":\"app\",\"N\":\"x\\ny\"}", &packed, &len, &err) == 0);
  static const char wanted[] = "USER_UNIT=u\nSYSLOG_IDENTIFIER=web/app\nCONTAINER_NAME=app\nN\n\3\0\0\0\0\0\0\0x\ny\n";
  EXPECT(len == sizeof wanted - 1 && !memcmp(packed, wanted, len));
  free(packed);
  static const char *const bad[] = {"[]",
                                    "{",
                                    "{\"lower\":\"x\"}",
                                    "{\"_PID\":\"1\"}",
                                    "{\"MESSAGE\":\"x\"}",
                                    "{\"PRIORITY\":\"0\"}",
                                    "{\"A B\":\"x\"}",
                                    "{\"A\":1}",
                                    "{\"1A\":\"x\"}",
                                    "{\"\":\"x\"}",
                                    "{\"USER_UNIT\":\"other\"}"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(relay_fields_pack("u", "i", bad[i], &packed, &len, &err) == -EINVAL);
  static char huge[RELAY_FIELDS_MAX];
  memset(huge, 'x', sizeof huge - 1);
  EXPECT(relay_fields_pack("u", huge, NULL, &packed, &len, &err) == -E2BIG);
}

int main(void) {
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/socket", folder);
  test_entries();
  test_long();
  test_full();
  test_restart();
  test_spill();
  test_long_spill();
  test_drain();
  test_bad_requests();
  test_fields();
  unlink(path);
  rmdir(folder);
  return expect_end("journal");
}
