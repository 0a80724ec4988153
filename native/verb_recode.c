/*
 * podrt recode: a layer's bytes from standard input to standard output in another compression. What comes in is known by its
 * content; what it unpacks to is hashed on the way. Needs no namespace and no rights.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>

#include "lib/number.h"
#include "lib/pack.h"
#include "lib/stream.h"
#include "verbs.h"

struct options {
  enum pack_format to;
  int level;
  const char *diff_id;
  struct stream_limits limits;
};

static const char usage[] =
    "usage: podrt recode --to none|gzip|zstd [--level N] [--diff-id sha256:HEX] [--max-bytes N[KMGT]] [--max-ratio N] < LAYER\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { TO = 1, LEVEL, DIFF_ID, BYTES, RATIO };
  static const struct option words[] = {
      {"to", required_argument, NULL, TO},           {"level", required_argument, NULL, LEVEL},
      {"diff-id", required_argument, NULL, DIFF_ID}, {"max-bytes", required_argument, NULL, BYTES},
      {"max-ratio", required_argument, NULL, RATIO}, {0},
  };
  uint64_t level = 0;
  bool to = false;
  int r = 0;
  for (int c; r == 0 && (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case TO:
        to = true;
        r = pack_format_parse(optarg, &o->to);
        break;
      case LEVEL:
        r = number_parse(optarg, false, 1, 100, &level);
        break;
      case DIFF_ID:
        o->diff_id = optarg;
        break;
      case BYTES:
        r = number_parse(optarg, true, 1, INT64_MAX, &o->limits.bytes);
        break;
      case RATIO:
        r = number_parse(optarg, false, 1, UINT32_MAX, &o->limits.ratio);
        break;
      default:
        return -EINVAL;
    }
  o->level = (int)level;
  return r < 0 || optind != argc || !to ? -EINVAL : 0;
}

static int check(const struct options *o, const char *digest, struct err *err) {
  if (!o->diff_id || !strcmp(o->diff_id, digest)) return 0;
  err_set(err, 0, "digest", "the layer unpacks to %s, not to %s", digest, o->diff_id);
  return -EBADMSG;
}

static int recode(const struct options *o, struct stream *in, struct pack *out, struct err *err) {
  for (;;) {
    const void *block;
    ssize_t n = stream_next(in, &block, err);
    if (n < 0) return (int)n;
    if (n == 0) break;
    int r = pack_write(out, block, (size_t)n, err);
    if (r < 0) return r;
  }
  char digest[72];
  uint64_t size = 0;
  int r = stream_finish(in, digest, &size, err);
  /* Before the end mark: what unpacks to something else never becomes a whole file. */
  if (r == 0) r = check(o, digest, err);
  if (r == 0) r = pack_finish(out, err);
  if (r == 0) fprintf(stderr, "{\"diffId\":\"%s\",\"size\":%" PRIu64 "}\n", digest, size);
  return r;
}

int verb_recode(int argc, char **argv) {
  /* The defaults of podrt layer: what nobody could unpack is not worth a copy, and may be meant to fill a disk. */
  struct options o = {.limits = {.bytes = (uint64_t)64 << 30, .ratio = 200}};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0) {
    fputs(usage, stderr);
    return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  struct stream *in = NULL;
  struct pack *out = NULL;
  int r = pack_open(STDOUT_FILENO, o.to, o.level, &out, &err);
  if (r == 0) r = stream_open(STDIN_FILENO, -1, &o.limits, &in, &err);
  if (r == 0) r = recode(&o, in, out, &err);
  if (in) stream_free(in);
  pack_free(out);
  if (r == 0) return 0;
  err_print(&err, "recode");
  return 125;
}
