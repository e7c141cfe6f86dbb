/* Has the processor fetch memory that will be looked at soon. */
#ifndef COPAL_BASE_PREFETCH_H
#define COPAL_BASE_PREFETCH_H

/* GCC takes a function that does nothing but prefetch for one without effect, and leaves out its calls: it must not see
 * that the statement below is empty. */
static inline void prefetch(const void *at) {
  __builtin_prefetch(at);
  __asm__ volatile("");
}

#endif
