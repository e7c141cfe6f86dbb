/* Records point at each other by 32-bit index; this one means none. */
#ifndef COPAL_BASE_INDEX_H
#define COPAL_BASE_INDEX_H

#include <stdint.h>

#define INDEX_NONE UINT32_MAX

#endif
