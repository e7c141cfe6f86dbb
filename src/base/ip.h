/* IP addresses as text: literals to bytes and back, strictly, without a resolver and without libc. */
#ifndef COPAL_BASE_IP_H
#define COPAL_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any address as text, NUL included: "255.255.255.255", "::ffff:255.255.255.255" is shorter than 8 groups. */
#define IPV4_TEXT_MAX 16
#define IPV6_TEXT_MAX 40

/* Four decimal numbers without leading zeros (RFC 3986 3.2.2); false and address untouched for anything else. */
bool ipv4_parse(const char *text, size_t size, uint8_t address[4]);

/* RFC 4291 2.2 in all its forms, "::" and an embedded IPv4 address included; no brackets, no zone. False and address
 * untouched for anything else. */
bool ipv6_parse(const char *text, size_t size, uint8_t address[16]);

/* Writes the address, NUL-terminated, and returns the length. buffer holds IPV4_TEXT_MAX. */
size_t ipv4_write(const uint8_t address[4], char *buffer);

/* Writes the one form that RFC 5952 recommends, NUL-terminated, and returns the length. buffer holds
 * IPV6_TEXT_MAX. */
size_t ipv6_write(const uint8_t address[16], char *buffer);

#endif
