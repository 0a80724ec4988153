/* podrt ps: the processes of an OCI container, as the host numbers them. */
#include <fcntl.h>
#include <sys/wait.h>

#include "state.h"
#include "verbs.h"

static int print_json(const pid_t *pid, size_t n, struct err *err) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) (void)json_array_append_new(list, json_integer(pid[i]));
  int r = list && json_dumpf(list, stdout, JSON_COMPACT) == 0 && puts("") >= 0 ? 0 : err_set(err, EIO, "ps", "standard output");
  json_decref(list);
  return r;
}

static bool contains(const pid_t *pid, size_t n, long wanted) {
  for (size_t i = 0; i < n; i++)
    if (pid[i] == wanted) return true;
  return false;
}

/* Which of the columns, divided by blanks, is called PID; -1: none. */
static int pid_column(const char *header) {
  int column = 0;
  for (const char *p = header + strspn(header, " "); *p && *p != '\n'; column++) {
    const size_t len = strcspn(p, " \n");
    if (len == 3 && !strncmp(p, "PID", 3)) return column;
    p += len;
    p += strspn(p, " ");
  }
  return -1;
}

static long column_number(const char *line, int column) {
  const char *p = line + strspn(line, " ");
  for (; column > 0; column--) {
    p += strcspn(p, " \n");
    p += strspn(p, " ");
  }
  return strtol(p, NULL, 10);
}

static int filter(FILE *from, const pid_t *pid, size_t n, struct err *err) {
  char *line = NULL;
  size_t room = 0;
  int column = -1;
  for (bool first = true; getline(&line, &room, from) > 0; first = false) {
    if (first && (column = pid_column(line)) < 0) break;
    if (first || contains(pid, n, column_number(line, column))) fputs(line, stdout);
  }
  free(line);
  return column < 0 ? err_set(err, 0, "ps", "ps(1) shows no column PID") : 0;
}

/* ps(1) of the host, with the words that follow the id ("-ef" without any), and of its lines ours. */
static int print_table(char **words, const pid_t *pid, size_t n, struct err *err) {
  static char *usual[] = {(char *)"ps", (char *)"-ef", NULL};
  int ends[2], status = 0;
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, "ps", "pipe");
  const pid_t child = fork();
  if (child == 0) {
    if (words[1]) words[0] = (char *)"ps";
    dup2(ends[1], STDOUT_FILENO);
    execvp("ps", words[1] ? words : usual);
    _exit(127);
  }
  close(ends[1]);
  cleanup_file FILE *from = fdopen(ends[0], "r");
  if (child < 0 || !from) return err_set(err, errno, "ps", "fork");
  int r = filter(from, pid, n, err);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return err_set(err, ENOENT, "ps", "ps");
  return r;
}

int oci_ps(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  const char *format = "table";
  struct err err;
  const struct oci_option table[] = {{"format", 'f', OCI_VALUE, &format}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && i >= argc) i = err_set(&err, 0, "usage", "podrt ps [--format table|json] ID [PS-OPTION…]");
  if (i >= 0 && strcmp(format, "table") && strcmp(format, "json")) i = err_set(&err, 0, "option", "--format: expected table or json");
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[i], &c, &err);
  if (r == 0 && oci_container_status(&c) == OCI_STOPPED) r = err_set(&err, 0, "ps", "container \"%s\" is stopped", c.id);
  cleanup_free pid_t *pid = NULL;
  size_t n = 0;
  if (r == 0) r = oci_cgroup_processes(&c.cgroup, &pid, &n, &err);
  if (r == 0) r = strcmp(format, "json") ? print_table(argv + i, pid, n, &err) : print_json(pid, n, &err);
  if (r < 0) oci_fail(g, &err);
  oci_container_free(&c);
  return r < 0;
}
