/* TLS to a server whose certificate is not checked: see tls.h. */
#include "tls.h"

#include <arpa/inet.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include "deadline.h"

struct tls {
  int fd;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
};

static int give(void *context, const unsigned char *bytes, size_t len) {
  const ssize_t n = send(((struct tls *)context)->fd, bytes, len, MSG_NOSIGNAL);
  if (n >= 0) return (int)n;
  return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int take(void *context, unsigned char *bytes, size_t size) {
  const ssize_t n = recv(((struct tls *)context)->fd, bytes, size, 0);
  if (n >= 0) return (int)n;
  return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int random_bytes(void *context, unsigned char *bytes, size_t len) {
  (void)context;
  while (len) {
    const ssize_t n = getrandom(bytes, len, 0);
    if (n < 0 && errno != EINTR) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    if (n < 0) continue;
    bytes += n;
    len -= (size_t)n;
  }
  return 0;
}

/* What mbed TLS waits for; 0 when it may be asked again. The clock is looked at each time, for one who drips. */
static int await(const struct tls *t, int r, int64_t deadline) {
  struct pollfd p = {.fd = t->fd, .events = r == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT};
  if (r != MBEDTLS_ERR_SSL_WANT_READ && r != MBEDTLS_ERR_SSL_WANT_WRITE) return -EPROTO;
  const int left = deadline_left(deadline);
  const int n = left == 0 ? 0 : poll(&p, 1, left);
  if (n == 0) return -ETIMEDOUT;
  return n > 0 || errno == EINTR ? 0 : -errno;
}

static int fail(int r, int tls, const char *step, struct err *err) {
  if (r == -EPROTO)
    return err_set(err, 0, step, "TLS: the server and we do not understand each other (mbed TLS -0x%04x)", (unsigned)-tls), r;
  return err_set(err, -r, step, "TLS");
}

static bool is_address(const char *name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

#if MBEDTLS_VERSION_MAJOR >= 3
/* PSS last: mbed TLS offers it for TLS 1.3 and cannot verify it in 1.2, where a server takes the first that it has. */
static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                      MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                      MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
                                      MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
                                      MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE};
#endif

static int set_up(struct tls *t, const char *name) {
  int r = mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_rng(&t->config, random_bytes, NULL);
#if MBEDTLS_VERSION_MAJOR >= 3
  mbedtls_ssl_conf_sig_algs(&t->config, signatures);
  if (r == 0 && psa_crypto_init() != PSA_SUCCESS) r = MBEDTLS_ERR_SSL_INTERNAL_ERROR;
#endif
  if (r == 0) r = mbedtls_ssl_setup(&t->ssl, &t->config);
  if (r == 0 && *name && !is_address(name)) r = mbedtls_ssl_set_hostname(&t->ssl, name);
  mbedtls_ssl_set_bio(&t->ssl, t, give, take, NULL);
  return r;
}

int tls_start(int fd, const char *name, int64_t deadline, struct tls **ret, struct err *err) {
  struct tls *t = calloc(1, sizeof *t);
  if (!t) return err_set(err, ENOMEM, "TLS", "%s", "");
  t->fd = fd;
  mbedtls_ssl_init(&t->ssl);
  mbedtls_ssl_config_init(&t->config);
  int tls = set_up(t, name), r = tls ? -EPROTO : 0;
  while (r == 0 && (tls = mbedtls_ssl_handshake(&t->ssl)) != 0) r = await(t, tls, deadline);
  if (r == 0) {
    *ret = t;
    return 0;
  }
  tls_end(t);
  return fail(r, tls, "handshake", err);
}

int tls_send(struct tls *t, const void *bytes, size_t len, int64_t deadline, struct err *err) {
  for (const unsigned char *p = bytes; len;) {
    const int n = mbedtls_ssl_write(&t->ssl, p, len);
    const int r = n > 0 ? 0 : await(t, n, deadline);
    if (r < 0) return fail(r, n, "send", err);
    if (n <= 0) continue;
    p += n;
    len -= (size_t)n;
  }
  return 0;
}

ssize_t tls_receive(struct tls *t, void *bytes, size_t size, int64_t deadline, struct err *err) {
  for (;;) {
    const int n = mbedtls_ssl_read(&t->ssl, bytes, size);
    if (n > 0 && deadline_left(deadline) != 0) return n;
    if (n > 0) return err_set(err, ETIMEDOUT, "receive", "TLS");
    /* Many servers end without a word. */
    if (n == 0 || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || n == MBEDTLS_ERR_SSL_CONN_EOF) return 0;
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) continue;
#endif
    const int r = await(t, n, deadline);
    if (r < 0) return fail(r, n, "receive", err);
  }
}

void tls_end(struct tls *t) {
  if (!t) return;
  mbedtls_ssl_free(&t->ssl);
  mbedtls_ssl_config_free(&t->config);
  free(t);
}
