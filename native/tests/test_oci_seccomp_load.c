/* Filters in the kernel: what they let through, trace and tell a listener. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "expect.h"
#include "lib/fdmsg.h"
#include "profile.h"

/* --- for real --- */

static struct oci_filter make(const char *text) {
  struct oci_seccomp s = {0};
  struct oci_filter f = {0};
  struct err err = {0};
  json_t *tree;
  int r = parse(text, &tree, &s, &err);
  if (r == 0) r = oci_filter_make(&s, -1, &f, &err);
  EXPECT(r == 0);
  if (r < 0) fprintf(stderr, "%s: %s\n", err.step, err.what);
  oci_seccomp_free(&s);
  json_decref(tree);
  return f;
}

/* What keyctl(0x1234) comes to in a child with the filter: its status; exit status 255 - errno, or 0. */
static int outcome(const char *rule, const char *flags) {
  char text[1024];
  snprintf(text, sizeof text, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[%s],\"syscalls\":[{\"names\":[\"keyctl\"],%s}]}", flags,
           rule);
  struct oci_filter f = make(text);
  int status = -1, listener;
  pid_t pid = fork();
  if (pid == 0) {
    struct err err;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || oci_filter_load(&f, &listener, &err) < 0 || listener != -1) _exit(99);
    long r = syscall(SYS_keyctl, 0x1234, 0x100000007, 3);
    _exit(r < 0 ? 100 + (errno > 100 ? 100 : errno) : 0);
  }
  EXPECT(waitpid(pid, &status, 0) == pid);
  oci_filter_free(&f);
  return status;
}

static bool killed_by(int status, int number) {
  return WIFSIGNALED(status) && WTERMSIG(status) == number;
}
static bool refused_with(int status, int code) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 100 + code;
}

static void test_actions(void) {
  EXPECT(killed_by(outcome("\"action\":\"SCMP_ACT_KILL\"", ""), SIGSYS));
  EXPECT(killed_by(outcome("\"action\":\"SCMP_ACT_KILL_THREAD\"", ""), SIGSYS));
  EXPECT(killed_by(outcome("\"action\":\"SCMP_ACT_KILL_PROCESS\"", ""), SIGSYS));
  EXPECT(killed_by(outcome("\"action\":\"SCMP_ACT_TRAP\"", ""), SIGSYS));
  EXPECT(refused_with(outcome("\"action\":\"SCMP_ACT_ERRNO\"", ""), EPERM));
  EXPECT(refused_with(outcome("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77", ""), 77));
  /* Without a tracer: ENOSYS, seccomp(2). */
  EXPECT(refused_with(outcome("\"action\":\"SCMP_ACT_TRACE\"", ""), ENOSYS));
  const int plain = outcome("\"action\":\"SCMP_ACT_ALLOW\"", "");
  EXPECT(WIFEXITED(plain) && plain == outcome("\"action\":\"SCMP_ACT_LOG\"", ""));
  EXPECT(refused_with(outcome("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77",
                              "\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\","
                              "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\""),
                      77));
}

/* The second argument is 0x100000007, the third 3. */
static void test_operators(void) {
  static const struct {
    const char *op;
    unsigned long long value, two;
    bool fits;
  } cases[] = {
      {"EQ", 0x100000007, 0, true}, {"EQ", 7, 0, false},           {"NE", 7, 0, true},           {"NE", 0x100000007, 0, false},
      {"LT", 0x100000008, 0, true}, {"LT", 0x100000007, 0, false}, {"LE", 0x100000007, 0, true}, {"LE", 8, 0, false},
      {"GT", 0xffffffff, 0, true},  {"GT", 0x100000007, 0, false}, {"GE", 0x100000007, 0, true}, {"GE", 0x200000000, 0, false},
      {"MASKED_EQ", 0xf, 7, true},  {"MASKED_EQ", 0xf, 6, false},
  };
  char rule[512];
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    snprintf(
        rule, sizeof rule,
        "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77,\"args\":[{\"index\":1,\"value\":%llu,\"valueTwo\":%llu,\"op\":\"SCMP_CMP_%s\"}]",
        cases[i].value, cases[i].two, cases[i].op);
    EXPECT(refused_with(outcome(rule, ""), 77) == cases[i].fits);
  }
  /* Two arguments: both. Twice the same one: either. */
#define TWO(value, index)                                                                         \
  outcome("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":77,\"args\":[{\"index\":2,\"value\":" value \
          ",\"op\":\"SCMP_CMP_EQ\"},"                                                             \
          "{\"index\":" index ",\"value\":3,\"op\":\"SCMP_CMP_EQ\"}]",                            \
          "")
  EXPECT(!refused_with(TWO("3", "1"), 77));
  EXPECT(refused_with(TWO("5", "2"), 77));
}

/* SCMP_ACT_TRACE's number is the message that the tracer gets. */
static void test_trace(void) {
  struct oci_filter f = make(RULE("\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":4321"));
  int status = 0, listener;
  unsigned long message = 0;
  pid_t pid = fork();
  if (pid == 0) {
    struct err err;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || oci_filter_load(&f, &listener, &err) < 0) _exit(99);
    syscall(SYS_keyctl, 0);
    _exit(0);
  }
  EXPECT(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
  EXPECT(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP) == 0 && ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
  EXPECT(waitpid(pid, &status, 0) == pid && status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8));
  EXPECT(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0 && message == 4321);
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  oci_filter_free(&f);
}

/* --- the listener --- */

/* An agent: takes the listener from the socket, answers one call with errno 55. */
static void answer_one(int listener) {
  struct seccomp_notif call = {0};
  EXPECT(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0 && call.data.nr == SYS_keyctl);
  struct seccomp_notif_resp reply = {.id = call.id, .error = -55};
  EXPECT(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) == 0);
}

static void test_listener(void) {
  char folder[] = "/tmp/podrt-seccomp-XXXXXX", longer[160], path[512];
  EXPECT(mkdtemp(folder) != NULL);
  /* Longer than an address of a socket may be. */
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  snprintf(path, sizeof path, "%s/%s", folder, longer);
  EXPECT(mkdir(path, 0700) == 0);
  int at = open(path, O_PATH | O_CLOEXEC);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/agent", at);
  snprintf(path, sizeof path, "%s/%s/agent", folder, longer);
  int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT(bind(agent, (struct sockaddr *)&address, sizeof address) == 0 && listen(agent, 1) == 0);

  struct oci_filter f = make(
      "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/a\",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\","
      "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"syscalls\":[{\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}");
  EXPECT(f.notifies);
  int pair[2], status, listener = -1;
  struct err err = {0};
  EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  pid_t pid = fork();
  if (pid == 0) {
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || oci_filter_load(&f, &listener, &err) < 0 || listener < 0) _exit(99);
    if (!(fcntl(listener, F_GETFD) & FD_CLOEXEC) || fdmsg_send(pair[1], &msg, &listener, 1) < 0) _exit(98);
    close(listener);
    _exit(syscall(SYS_keyctl, 0) < 0 ? 100 + errno : 0);
  }
  char text[8192] = "";
  struct iovec iov = {.iov_base = text, .iov_len = 1};
  size_t n_fds = 0;
  EXPECT(fdmsg_receive(pair[0], &iov, 1, &listener, 1, &n_fds) == 1 && n_fds == 1);

  json_t *state =
      json_pack("{s:s, s:s, s:s, s:i, s:s}", "ociVersion", "1.2.0", "id", "c1", "status", "creating", "pid", (int)pid, "bundle", "/b");
  EXPECT(oci_filter_send_listener(path, listener, pid, "meta", state, &err) == 0);
  close(listener);
  int connection = accept(agent, NULL, NULL);
  iov = (struct iovec){.iov_base = text, .iov_len = sizeof text - 1};
  ssize_t len = fdmsg_receive(connection, &iov, 1, &listener, 1, &n_fds);
  EXPECT(len > 0 && n_fds == 1);
  text[len > 0 ? len : 0] = 0;
  json_t *got = json_loads(text, 0, NULL);
  EXPECT(json_equal(json_object_get(got, "state"), state) && json_integer_value(json_object_get(got, "pid")) == pid);
  EXPECT(!strcmp(json_string_value(json_array_get(json_object_get(got, "fds"), 0)), "seccompFd"));
  EXPECT(!strcmp(json_string_value(json_object_get(got, "metadata")), "meta") && json_object_get(got, "ociVersion"));
  EXPECT(read(connection, text, 1) == 0); /* one per connection */
  if (n_fds == 1) answer_one(listener);
  EXPECT(waitpid(pid, &status, 0) == pid && refused_with(status, 55));
  json_decref(got);
  json_decref(state);

  state = json_object();
  EXPECT(unlink(path) == 0);
  EXPECT(oci_filter_send_listener(path, agent, pid, NULL, state, &err) == -ENOENT && strstr(err.what, "listenerPath"));
  json_decref(state);
  close(agent);
  close(connection);
  close(listener);
  close(pair[0]);
  close(pair[1]);
  close(at);
  oci_filter_free(&f);
  snprintf(path, sizeof path, "%s/%s", folder, longer);
  rmdir(path);
  rmdir(folder);
}

int main(void) {
  test_actions();
  test_operators();
  test_trace();
  test_listener();
  return expect_end("oci_seccomp_load");
}
