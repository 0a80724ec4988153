/* Probes without a container: thresholds, due times, probe.json, HTTP/2's headers. */
#include "expect.h"
#include "lib/grpchealth.h"
#include "lib/proberecord.h"
#include "lib/probetry.h"

static void test_thresholds(void) {
  static const struct {
    unsigned success, failure;
    const char *results; /* o: ok, b: bad, u: could not be tried */
    const char *states;  /* after each: u, o, b */
  } cases[] = {
      {1, 3, "bbb", "uub"}, {1, 3, "obbob", "ooooo"}, {1, 3, "obbbb", "ooobb"}, {2, 2, "oobobboboo", "uoooobbbbo"},
      {1, 1, "bo", "bo"},   {1, 3, "bubub", "uuuub"}, {3, 1, "oouob", "uuuob"},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    const struct probe_timing t = {.success = cases[i].success, .failure = cases[i].failure};
    struct probe_count c = {0};
    for (size_t n = 0; cases[i].results[n]; n++) {
      const char in = cases[i].results[n];
      const enum probe_state before = c.state;
      const bool changed = probe_count_add(&c, &t, in == 'o' ? PROBE_OK : in == 'b' ? PROBE_BAD : PROBE_UNKNOWN);
      EXPECT(changed == (c.state != before));
      EXPECT("uob"[c.state] == cases[i].states[n]);
    }
  }
}

static void test_due(void) {
  const struct probe_timing t = {.delay = 5, .period = 10};
  EXPECT(probe_due(&t, 1000, -1, 1000) == 6000);
  EXPECT(probe_due(&t, 1000, -1, 9000) == 9000);
  EXPECT(probe_due(&t, 1000, 6000, 6100) == 16000);
  EXPECT(probe_due(&t, 1000, 6000, 20000) == 20000);
}

static void test_spec(void) {
  static const char good[] =
      "{\"runDir\":\"pods/a/b\",\"join\":\"pods/a/_infra\",\"unit\":\"u\",\"identifier\":\"a/b\",\"stopSignal\":\"SIGTERM\",\"gated\":true,"
      "\"readiness\":{\"httpGet\":{\"port\":80,\"path\":\"/x\",\"headers\":[[\"A\",\"b\"]]},\"periodSeconds\":2},"
      "\"liveness\":{\"exec\":[\"true\",\"x\"],\"graceSeconds\":0}}";
  static const char *const bad[] = {"",
                                    "[]",
                                    "{}",
                                    "{\"httpGet\":{\"port\":0}}",
                                    "{\"httpGet\":{}}",
                                    "{\"httpGet\":[]}",
                                    "{\"exec\":[]}",
                                    "{\"exec\":[\"a\"],\"tcpSocket\":{\"port\":1}}",
                                    "{\"tcpSocket\":{\"port\":70000}}",
                                    "{\"exec\":[\"a\"],\"periodSeconds\":0}",
                                    "{\"httpGet\":{\"port\":1,\"headers\":[[\"a\"]]}}",
                                    "{\"grpc\":{\"port\":1,\"service\":5}}"};
  struct probe_spec s;
  struct probe p = {0};
  struct err err;
  EXPECT(probe_spec_parse(good, strlen(good), &s, &err) == 0);
  EXPECT(s.gated && !s.restarts && !s.probes[PROBE_STARTUP].declared);
  const struct probe *r = &s.probes[PROBE_READINESS], *l = &s.probes[PROBE_LIVENESS];
  EXPECT(r->handler == PROBE_HTTP && r->http.port == 80 && !strcmp(r->http.path, "/x") && !strcmp(r->http.headers[0].value, "b"));
  EXPECT(r->timing.period == 2 && r->timing.timeout == 1 && r->timing.success == 1 && r->timing.failure == 3 && r->timing.delay == 0);
  EXPECT(l->handler == PROBE_EXEC && !strcmp(l->command[1], "x") && l->grace == 0 && r->grace == 30);
  probe_spec_free(&s);
  EXPECT(probe_spec_parse("{\"runDir\":1}", 12, &s, &err) < 0 && probe_spec_parse("{", 1, &s, &err) < 0);
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    json_t *o = json_loads(bad[i], 0, NULL);
    EXPECT(probe_parse(o, "liveness", &p, &err) < 0);
    probe_free(&p);
    json_decref(o);
  }
}

static void test_headers(void) {
  static const struct {
    const char *block;
    size_t len;
    int result, status, grpc_status;
  } cases[] = {
#define B(text) text, sizeof text - 1
      {B("\x88"), 0, 200, -1}, /* :status 200 of the static table */
      {B("\x08\x03"
         "503"),
       0, 503, -1},                        /* the name by its index */
      {B("\x48\x82\x64\x02"), 0, 302, -1}, /* RFC 7541, C.6.1: "302" in Huffman's code */
      {B("\x88\x00\x0bgrpc-status\x01"
         "0"),
       0, 200, 0}, /* as it is */
      {B("\x40\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x02"
         "12"),
       0, 0, 12},                                                             /* the name in Huffman's code */
      {B("\x00\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x82\x08\xbf"), 0, 0, 12},  /* 1, 2, and ones */
      {B("\x00\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f\x82\x08\x9f"), 0, 0, 129}, /* 9 is ones, too, but for the first */
      {B("\x20\xff\x20\x88"), 0, 200, -1},                                    /* a size, an entry that is not there */
      {B("\x80"), -EPROTO, 0, -1},
      {B("\x00\x0bgrpc"), -EPROTO, 0, -1},
      {B("\xff\xff\xff\xff\xff\xff\xff"), -EPROTO, 0, -1},
      {B("\x08\x7f\xff\xff\xff\xff\xff"), -EPROTO, 0, -1},
#undef B
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    struct grpc_headers h = {.grpc_status = -1};
    EXPECT(grpc_read_headers((const unsigned char *)cases[i].block, cases[i].len, &h) == cases[i].result);
    if (cases[i].result == 0) EXPECT(h.status == cases[i].status && h.grpc_status == cases[i].grpc_status);
  }
}

static void test_message(void) {
  struct err err;
  char text[40];
  err_set(&err, 0, "exec", "exited with status 1: a\nb\x1b[2J");
  probe_message(&err, text, sizeof text);
  EXPECT(!strcmp(text, "exec: exited with status 1: a b [2J"));
  err_set(&err, ETIMEDOUT, "receive", "%s", "");
  probe_message(&err, text, sizeof text);
  EXPECT(!strcmp(text, "receive: timed out"));
}

int main(void) {
  test_thresholds();
  test_due();
  test_spec();
  test_headers();
  test_message();
  return expect_end("probe");
}
