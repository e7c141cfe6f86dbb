/* Addresses between three forms: the library's, the kernel's, and text. */
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/ip.h"
#include "message/percent.h"
#include "message/uri.h"
#include "net/net.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_link_local(const uint8_t bytes[16]) {
  return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || (bytes[0] == 0xff && (bytes[1] & 0x0f) <= 2);
}

/* --- The kernel's form ------------------------------------------------------------------------- */

void net_ipv4_address(copal_address *address, const void *bytes, uint16_t port) {
  *address = (copal_address){.port = port, .family = COPAL_FAMILY_IPV4};
  memcpy(address->bytes, bytes, 4);
}

/* The one form that an address has: so what was written in any way compares equal to what the kernel tells. */
void net_ipv6_address(copal_address *address, const uint8_t bytes[16], uint32_t scope, uint16_t port) {
  if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
    net_ipv4_address(address, bytes + sizeof mapped_prefix, port);
    return;
  }
  *address = (copal_address){.scope = is_link_local(bytes) ? scope : 0, .port = port, .family = COPAL_FAMILY_IPV6};
  memcpy(address->bytes, bytes, 16);
}

void net_address_from(copal_address *address, const struct sockaddr_storage *from, socklen_t size,
                      struct net_names *names) {
  if (size >= sizeof(struct sockaddr_in) && from->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;
    net_ipv4_address(address, &in->sin_addr, ntohs(in->sin_port));
  } else if (size >= sizeof(struct sockaddr_in6) && from->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    net_ipv6_address(address, in6->sin6_addr.s6_addr, in6->sin6_scope_id, ntohs(in6->sin6_port));
  } else if (size > offsetof(struct sockaddr_un, sun_path) && from->ss_family == AF_UNIX) {
    const struct sockaddr_un *un = (const struct sockaddr_un *)from;
    size_t name_size = size - offsetof(struct sockaddr_un, sun_path);
    if (un->sun_path[0] != 0) name_size = strnlen(un->sun_path, name_size);
    *address = net_name_intern(names, un->sun_path, name_size);
  } else {
    *address = (copal_address){.family = COPAL_FAMILY_NONE};
  }
}

static socklen_t to_unix(const copal_address *address, const struct net_names *names, struct sockaddr_storage *to) {
  const struct net_name *name = net_name_find(names, address);
  if (name == NULL) return 0;
  struct sockaddr_un *un = (struct sockaddr_un *)to;
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, name->text, name->size);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name->size);
}

socklen_t net_address_to(const copal_address *address, sa_family_t family, const struct net_names *names,
                         struct sockaddr_storage *to) {
  if (address->family == COPAL_FAMILY_UNIX) return family == AF_UNIX ? to_unix(address, names, to) : 0;
  if (address->family == COPAL_FAMILY_IPV4 && family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)to;
    *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&in->sin_addr, address->bytes, 4);
    return sizeof *in;
  }
  if (family != AF_INET6 || address->family == COPAL_FAMILY_NONE) return 0;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
  *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
  if (address->family == COPAL_FAMILY_IPV4) {
    memcpy(in6->sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
    memcpy(in6->sin6_addr.s6_addr + sizeof mapped_prefix, address->bytes, 4);
  } else {
    memcpy(&in6->sin6_addr, address->bytes, 16);
    in6->sin6_scope_id = address->scope;
  }
  return sizeof *in6;
}

/* --- Text -------------------------------------------------------------------------------------- */

static int write_unix(const copal_endpoint *endpoint, const copal_address *address, char *buffer, size_t capacity) {
  const struct net *net = net_of(endpoint);
  const struct net_name *name = net == NULL ? NULL : net_name_find(&net->names, address);
  if (name == NULL) return snprintf(buffer, capacity, "unix:?");
  if (name->text[0] == 0) return snprintf(buffer, capacity, "unix:@%.*s", (int)name->size - 1, name->text + 1);
  return snprintf(buffer, capacity, "unix:%.*s", (int)name->size, name->text);
}

static int write_ipv6(const copal_address *address, char *buffer, size_t capacity) {
  char text[IPV6_TEXT_MAX], zone[IF_NAMESIZE + 1] = "";
  ipv6_write(address->bytes, text);
  if (address->scope != 0) {
    zone[0] = '%';
    if (if_indextoname(address->scope, zone + 1) == NULL) snprintf(zone + 1, IF_NAMESIZE, "%u", address->scope);
  }
  return snprintf(buffer, capacity, "[%s%s]:%u", text, zone, address->port);
}

size_t copal_address_text(const copal_endpoint *endpoint, const copal_address *address, char *buffer, size_t capacity) {
  char ipv4[IPV4_TEXT_MAX];
  int size = 0;
  if (capacity == 0) return 0;
  switch ((copal_family)address->family) {
    case COPAL_FAMILY_NONE: size = snprintf(buffer, capacity, "-"); break;
    case COPAL_FAMILY_IPV4:
      ipv4_write(address->bytes, ipv4);
      size = snprintf(buffer, capacity, "%s:%u", ipv4, address->port);
      break;
    case COPAL_FAMILY_IPV6: size = write_ipv6(address, buffer, capacity); break;
    case COPAL_FAMILY_UNIX: size = write_unix(endpoint, address, buffer, capacity); break;
  }
  return (size_t)size < capacity ? (size_t)size : capacity - 1;
}

static copal_error find_scope(const char *zone, size_t size, uint32_t *scope) {
  char name[IF_NAMESIZE];
  if (size == 0 || size >= sizeof name) return COPAL_ERR_INTERFACE;
  memcpy(name, zone, size);
  name[size] = 0;
  *scope = if_nametoindex(name);
  /* RFC 4007 11.2: a zone may also be written as its number. */
  if (*scope == 0 && strspn(name, "0123456789") == size && size < 10) sscanf(name, "%u", scope);
  return *scope == 0 ? COPAL_ERR_INTERFACE : COPAL_OK;
}

copal_error copal_address_parse(const char *text, uint16_t port, copal_address *address) {
  copal_address ipv4 = {.port = port, .family = COPAL_FAMILY_IPV4};
  const char *zone = strchr(text, '%');
  size_t size = zone == NULL ? strlen(text) : (size_t)(zone - text);
  if (zone == NULL && ipv4_parse(text, size, ipv4.bytes)) {
    *address = ipv4;
    return COPAL_OK;
  }
  uint8_t bytes[16];
  uint32_t scope = 0;
  if (!ipv6_parse(text, size, bytes)) return COPAL_ERR_ADDRESS;
  if (zone != NULL) {
    copal_error error = find_scope(zone + 1, strlen(zone + 1), &scope);
    if (error != COPAL_OK) return error;
  }
  net_ipv6_address(address, bytes, scope, port);
  return COPAL_OK;
}

/* --- URIs -------------------------------------------------------------------------------------- */

static copal_error look_up(const copal_uri *uri, sa_family_t family, copal_address *address) {
  char host[256];
  if (uri_host_text(uri, host, sizeof host) <= 0) return COPAL_ERR_URI_HOST;
  struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG}, *found;
  if (getaddrinfo(host, NULL, &hints, &found) != 0) return COPAL_ERR_RESOLVE;
  struct sockaddr_storage storage;
  memcpy(&storage, found->ai_addr, found->ai_addrlen);
  net_address_from(address, &storage, found->ai_addrlen, NULL);
  address->port = uri->port;
  freeaddrinfo(found);
  return COPAL_OK;
}

/* The socket's name stands, percent-encoded, where a host would; "%00" begins an abstract one, and ends no other. */
static copal_error unix_address(const copal_uri *uri, struct net_names *names, copal_address *address) {
  char name[NET_NAME_SIZE_MAX];
  if (names == NULL) return COPAL_ERR_NOT_HOSTED;
  int size = percent_decode(uri->host, false, (uint8_t *)name, sizeof name - 1);
  if (size <= 0 || (name[0] != 0 && memchr(name, 0, (size_t)size) != NULL)) return COPAL_ERR_URI_HOST;
  *address = net_name_intern(names, name, (size_t)size);
  return COPAL_OK;
}

copal_error net_resolve(const copal_uri *uri, sa_family_t family, struct net_names *names, copal_address *address) {
  if (uri->scheme == COPAL_SCHEME_COAP_UNIX) return unix_address(uri, names, address);
  if (uri->scheme != COPAL_SCHEME_COAP) return COPAL_ERR_URI_SCHEME;
  if (uri->host_kind == COPAL_HOST_NAME) return look_up(uri, family, address);
  if (uri->host_kind == COPAL_HOST_IPV4) {
    net_ipv4_address(address, uri->address, uri->port);
    return COPAL_OK;
  }
  char zone[IF_NAMESIZE];
  uint32_t scope = 0;
  int size = uri_zone_text(uri, zone, sizeof zone);
  if (size < 0 || (size > 0 && find_scope(zone, (size_t)size, &scope) != COPAL_OK)) return COPAL_ERR_INTERFACE;
  net_ipv6_address(address, uri->address, scope, uri->port);
  return COPAL_OK;
}

copal_error copal_resolve(copal_endpoint *endpoint, const copal_uri *uri, copal_address *address) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return net_resolve(uri, AF_UNSPEC, NULL, address);
  /* A socket of IPv6 reaches both families, one of IPv4 only its own. */
  sa_family_t family = net->sockets[0].family == AF_INET ? AF_INET : AF_UNSPEC;
  return net_resolve(uri, family, &net->names, address);
}
