/*
 * What the containers of service.test.ts execute: it does what it is told through a FIFO, pings its watchdog, and serves the sockets that
 * it was started with. What it sees of all that is in FOLDER/NAME.log.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, PING_MS = 100 };

static int log_fd;

static void note(const char *key, const char *value) {
  dprintf(log_fd, "%s=%s\n", key, value ? value : "");
}

/* How a watchdog's signal is told from others: it has an exit code of its own. */
static void aborted(int number) {
  (void)number;
  note("aborted", "yes");
  _exit(34);
}

static void stopped(int number) {
  (void)number;
  _exit(0);
}

/* One datagram to the manager; `;` in the text is a line's end. */
static void say(char *text) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (!path || fd < 0) return note("said", "no socket");
  snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
  for (char *p = text; *p; p++)
    if (*p == ';') *p = '\n';
  if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) < 0) note("said", strerror(errno));
  close(fd);
}

/* What was left open for it: more than the sockets it was promised would be a leak. */
static void list_descriptors(int own) {
  char text[512] = "";
  DIR *dir = opendir("/proc/self/fd");
  for (struct dirent *e; dir && (e = readdir(dir));) {
    int fd = atoi(e->d_name);
    struct stat st;
    if (e->d_name[0] == '.' || fd == dirfd(dir) || fd == log_fd || fd == own || fstat(fd, &st) < 0) continue;
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%d%s ", fd, S_ISSOCK(st.st_mode) ? "s" : "");
  }
  if (dir) closedir(dir);
  note("open", text);
}

/* A connection is told which socket and which life it reached; a datagram comes back. */
static void serve(int fd) {
  int type;
  socklen_t len = sizeof type;
  char text[128];
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) return;
  if (type == SOCK_STREAM) {
    int client = accept(fd, NULL, NULL);
    if (client < 0) return;
    dprintf(client, "socket %d\n", fd);
    close(client);
  } else {
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&from, &size);
    if (n > 0) (void)sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&from, size);
  }
}

/* Lines: `exit N`, `mute` (no ping from now on), else a message. */
static void obey(char *lines, int *ping) {
  for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
    if (!strncmp(line, "exit ", 5)) _exit(atoi(line + 5));
    if (!strcmp(line, "mute"))
      *ping = -1;
    else
      say(line);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  char path[256], text[1024], number[16];
  snprintf(path, sizeof path, "%s/%s.log", argv[1], argv[2]);
  log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  snprintf(path, sizeof path, "%s/%s.fifo", argv[1], argv[2]);
  int fifo = open(path, O_RDWR | O_CLOEXEC);
  if (log_fd < 0 || fifo < 0) return 65;
  static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) note(names[i], getenv(names[i]));
  snprintf(number, sizeof number, "%d", (int)getpid());
  note("pid", number);
  list_descriptors(fifo);
  signal(SIGABRT, aborted);
  signal(SIGTERM, stopped);
  int n = getenv("LISTEN_FDS") ? atoi(getenv("LISTEN_FDS")) : 0, ping = getenv("WATCHDOG_USEC") ? PING_MS : -1;
  struct pollfd fds[8] = {{.fd = fifo, .events = POLLIN}};
  for (int i = 0; i < n && i < 7; i++) fds[i + 1] = (struct pollfd){.fd = FIRST + i, .events = POLLIN};
  for (;;) {
    int r = poll(fds, (nfds_t)n + 1, ping);
    if (ping > 0) say((char[]){"WATCHDOG=1"});
    if (r <= 0) continue;
    ssize_t got = fds[0].revents ? read(fifo, text, sizeof text - 1) : 0;
    if (got > 0) {
      text[got] = 0;
      obey(text, &ping);
    }
    for (int i = 0; i < n; i++)
      if (fds[i + 1].revents) serve(fds[i + 1].fd);
  }
}
