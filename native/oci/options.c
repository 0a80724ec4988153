/* The command line that OCI engines use: see options.h. */
#include "options.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>

#include "state.h"

/* --- options --- */

static const struct oci_option *find(const struct oci_option *table, size_t n, const char *word, size_t len, bool is_letter) {
  for (size_t i = 0; i < n; i++) {
    if (is_letter && len == 1 && table[i].letter && table[i].letter == *word) return &table[i];
    if (strlen(table[i].name) == len && !strncmp(table[i].name, word, len)) return &table[i];
  }
  return NULL;
}

static int take_flag(const struct oci_option *o, const char *value, struct err *err) {
  bool *to = o->to;
  if (value && strcmp(value, "true") && strcmp(value, "false")) return err_set(err, 0, "option", "--%s: expected true or false", o->name);
  *to = !value || !strcmp(value, "true");
  return 0;
}

static int take_word(const struct oci_option *o, const char *value, struct err *err) {
  struct oci_words *words = o->to;
  if (o->kind == OCI_VALUE) {
    *(const char **)o->to = value;
    return 0;
  }
  const char **more = realloc(words->word, (words->n + 2) * sizeof *more);
  if (!more) return err_set(err, ENOMEM, "option", "--%s", o->name);
  words->word = more;
  more[words->n++] = value;
  more[words->n] = NULL;
  return 0;
}

int oci_options(int argc, char **argv, const struct oci_option *table, size_t n, struct err *err) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
    const char *word = argv[i];
    if (!strcmp(word, "--")) return i + 1;
    const bool one_dash = word[1] != '-';
    word += one_dash ? 1 : 2;
    const size_t len = strcspn(word, "=");
    const struct oci_option *o = find(table, n, word, len, one_dash);
    const char *value = word[len] ? word + len + 1 : NULL;
    /* "-e=V", "-eV" and "-e V" are all in use. */
    if (!o && one_dash && (o = find(table, n, word, 1, true)) && o->kind != OCI_FLAG) value = word + 1;
    if (!o) return err_set(err, 0, "option", "%s: unknown", argv[i]);
    if (o->kind != OCI_FLAG && !value) {
      if (i + 1 >= argc) return err_set(err, 0, "option", "%s: expected a value", argv[i]);
      value = argv[++i];
    }
    int r = o->kind == OCI_FLAG ? take_flag(o, value, err) : take_word(o, value, err);
    if (r < 0) return r;
  }
  return i;
}

/* --- what is told --- */

/* JSON is UTF-8, and what is told may hold a name that is not, or have been cut within a letter. */
static json_t *json_text(const char *text) {
  json_t *ret = json_string(text);
  cleanup_free char *plain = ret ? NULL : strdup(text);
  for (char *p = plain; p && *p; p++)
    if ((unsigned char)*p > 126) *p = '?';
  return ret ? ret : json_string(plain ? plain : "");
}

/* One line in the log file. Engines read it for the reason of a failure. */
static void log_line(const struct oci_global *g, const char *level, const char *text) {
  char time[40];
  if (!g->log) return;
  cleanup_fd int fd = open(g->log, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  oci_time(time);
  json_t *line = g->log_json ? json_pack("{s:o, s:s, s:s}", "msg", json_text(text), "level", level, "time", time) : NULL;
  char *words = line ? json_dumps(line, JSON_COMPACT) : xformat("time=\"%s\" level=%s msg=\"%s\"", time, level, text);
  json_decref(line);
  if (words) dprintf(fd, "%s\n", words);
  free(words);
}

int oci_fail(const struct oci_global *g, const struct err *err) {
  const char *reason = err->code ? strerror(err->code) : "";
  cleanup_free char *text = xformat("%s%s%s%s%s", err->step, err->what[0] ? ": " : "", err->what, *reason ? ": " : "", reason);
  if (!text) return 1;
  log_line(g, "error", text);
  fprintf(stderr, "podrt: %s\n", text);
  return !strcmp(err->step, "usage") || !strcmp(err->step, "option") ? 64 : 1;
}

void oci_warn(const struct oci_global *g, const char *fmt, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  /* A log of JSON is one object, the error, to those who read it. */
  if (!g->log_json) log_line(g, "warning", text);
  if (!g->log || g->log_json) fprintf(stderr, "podrt: warning: %s\n", text);
}
