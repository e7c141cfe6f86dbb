/* See names.h. */
#include "net/names.h"

#include <assert.h>
#include <string.h>

copal_address net_name_intern(struct net_names *names, const char *text, size_t size) {
  assert(size <= NET_NAME_SIZE_MAX);
  uint32_t number = 0;
  for (size_t i = 0; i < NET_NAMES_MAX && number == 0; ++i) {
    const struct net_name *name = &names->names[i];
    if (name->number != 0 && name->size == size && memcmp(name->text, text, size) == 0) number = name->number;
  }
  if (number == 0) {
    if (++names->last == 0) ++names->last;
    number = names->last;
    struct net_name *name = &names->names[number % NET_NAMES_MAX];
    *name = (struct net_name){.number = number, .size = (uint32_t)size};
    memcpy(name->text, text, size);
  }
  copal_address address = {.family = COPAL_FAMILY_UNIX};
  memcpy(address.bytes, &number, sizeof number);
  return address;
}

const struct net_name *net_name_find(const struct net_names *names, const copal_address *address) {
  uint32_t number;
  memcpy(&number, address->bytes, sizeof number);
  const struct net_name *name = &names->names[number % NET_NAMES_MAX];
  return number != 0 && name->number == number ? name : NULL;
}
