/* Datagrams with the address they came to: a reply must leave from where the client sent its question. */
#pragma once
#include "address.h"

struct udp_packet {
  struct address client;
  struct address local; /* host and scope of the address the client used; port 0 */
  size_t len;
};

/* Makes a listening socket tell local addresses (IP_PKTINFO, IPV6_RECVPKTINFO). */
int udp_packet_prepare(int fd);
/* Receives one; IPv4 in IPv6 is undone. -EAGAIN when there is none; -EMSGSIZE for one that was longer than the buffer. */
int udp_packet_receive(int fd, void *buf, size_t size, struct udp_packet *ret);
/* Sends to packet->client from packet->local. */
int udp_packet_reply(int fd, const void *buf, const struct udp_packet *packet);
