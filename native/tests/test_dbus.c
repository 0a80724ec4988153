/* D-Bus messages: what is written, what is read, and what lies. */
#include "lib/dbus.h"

#include "expect.h"

static void test_calls(void) {
  unsigned char call[512], body[128];
  struct dbus_out o = {.buf = body, .size = sizeof body};
  dbus_put_string(&o, "org.freedesktop.systemd1.Service");
  dbus_put_string(&o, "NRestarts");
  /* 4+33, padded to 40, 4+10 */
  EXPECT(!o.full && o.len == 54);
  const struct dbus_call get = {.destination = "org.freedesktop.systemd1",
                                .path = "/a",
                                .interface = "org.freedesktop.DBus.Properties",
                                .member = "Get",
                                .signature = "ss",
                                .body = body,
                                .body_len = o.len};
  const int len = dbus_message(call, sizeof call, 7, &get);
  EXPECT(len > 0 && call[0] == 'l' && call[1] == 1 && call[8] == 7 && call[4] == 54);
  EXPECT(!strcmp((char *)call + len - 10, "NRestarts"));
  struct dbus_in in;
  const char *text;
  EXPECT(dbus_parse(call, (size_t)len, &in) == len && !strcmp(in.member, "Get") && !strcmp(in.signature, "ss"));
  EXPECT(dbus_get_string(&in, &text) && !strcmp(text, "org.freedesktop.systemd1.Service"));
  EXPECT(dbus_get_string(&in, &text) && !strcmp(text, "NRestarts") && !dbus_get_string(&in, &text));
  EXPECT(dbus_message(call, 100, 7, &get) == -E2BIG);
}

/* An array's length does not count the padding before its first element. */
static void test_arrays(void) {
  unsigned char buf[64];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  struct dbus_array a = dbus_open_array(&o, 8);
  dbus_put_u64(&o, 0x0102030405060708u);
  dbus_close_array(&o, a);
  EXPECT(o.len == 16 && buf[0] == 8 && buf[8] == 8 && buf[15] == 1);
  a = dbus_open_array(&o, 8);
  dbus_close_array(&o, a);
  EXPECT(o.len == 24 && buf[16] == 0);
  struct dbus_out small = {.buf = buf, .size = 6};
  a = dbus_open_array(&small, 8);
  dbus_put_u64(&small, 1);
  dbus_close_array(&small, a);
  EXPECT(small.full);
}

static void test_answers(void) {
  /* What systemd 252 answered: serial 1, reply to 2, signature v, value 3. */
  unsigned char reply[] = {'l', 2, 1, 1, 8,   0, 0, 0,   1, 0, 0, 0,   15, 0, 0, 0, 5, 1, 'u', 0,   2,   0,
                           0,   0, 8, 1, 'g', 0, 1, 'v', 0, 0, 1, 'u', 0,  0, 3, 0, 0, 0, 'n', 'e', 'x', 't'};
  struct dbus_in in;
  uint32_t value;
  EXPECT(dbus_parse(reply, sizeof reply, &in) == 40 && in.type == DBUS_RETURN && in.reply_to == 2 && !strcmp(in.signature, "v"));
  in.at = 4;
  EXPECT(dbus_get_u32(&in, &value) && value == 3 && !dbus_get_u32(&in, &value));
  for (size_t n = 0; n < 40; n++) EXPECT(dbus_parse(reply, n, &in) == 0);
  reply[7] = 0xff; /* a body of 4 GB */
  EXPECT(dbus_parse(reply, sizeof reply, &in) == -EBADMSG);
  reply[0] = 'B';
  EXPECT(dbus_parse(reply, sizeof reply, &in) == -EBADMSG);
  /* Fields whose lengths lie, and a text without its end. */
  unsigned char lies[64] = {'l', 2, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 5, 1, 's', 0, 0xff, 0xff, 0xff, 0xff};
  EXPECT(dbus_parse(lies, sizeof lies, &in) == -EBADMSG);
  unsigned char open[32] = {'l', 2, 1,   1, 0, 0, 0, 0, 1,   0,   0,   0,   16,  0,   0,   0,
                            3,   1, 's', 0, 8, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'};
  EXPECT(dbus_parse(open, sizeof open, &in) == -EBADMSG);
  struct dbus_in body = {.body = (const unsigned char *)"\4\0\0\0abcd", .body_len = 8};
  const char *text;
  EXPECT(!dbus_get_string(&body, &text));
}

int main(void) {
  test_calls();
  test_arrays();
  test_answers();
  return expect_end("dbus");
}
