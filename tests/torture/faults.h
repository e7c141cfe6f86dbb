/* System calls that fail when a test says so: the linker puts these functions in front of the system's (--wrap). The
 * n-th call of a function fails with an error, once or several times in a row. Knows nothing of endpoints. */
#ifndef COPAL_TESTS_TORTURE_FAULTS_H
#define COPAL_TESTS_TORTURE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* tests/CMakeLists.txt reads this list. */
#define FAULT_CALLS(X) \
  X(socket)            \
  X(bind)              \
  X(setsockopt)        \
  X(getsockopt)        \
  X(getsockname)       \
  X(fcntl)             \
  X(epoll_create1)     \
  X(epoll_ctl)         \
  X(ppoll)             \
  X(eventfd)           \
  X(read)              \
  X(poll)              \
  X(mmap)              \
  X(getrandom)         \
  X(clock_gettime)     \
  X(recvmmsg)          \
  X(recvmsg)           \
  X(sendmmsg)          \
  X(getaddrinfo)       \
  X(if_nametoindex)

#define FAULT_ENUM(name) FAULT_##name,
enum fault_call { FAULT_CALLS(FAULT_ENUM) FAULT_CALLS_COUNT };
#undef FAULT_ENUM

/* Of a call that takes several messages: it takes one. */
enum { FAULT_PARTIAL = -1 };

struct fault {
  enum fault_call call;
  unsigned at;    /* the first call is 1 */
  unsigned times; /* in a row */
  int error;      /* errno; of getaddrinfo, what it returns */
};

/* Calls are counted from now on, and fail as planned. The faults are borrowed until disarmed. */
void faults_arm(const struct fault *faults, size_t count);

/* From now on all calls are the system's. */
void faults_disarm(void);

/* Whether a fault has been met; that is how a test knows that it has tried all calls. */
bool faults_were_met(const struct fault *fault);

const char *faults_name(enum fault_call call);

#endif
