/* See faults.h. The linker's names for the two sides of a wrapped function are reserved ones: asm labels give them
 * others here. */
#include "torture/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
  const struct fault *faults;
  size_t count;
  unsigned calls[FAULT_CALLS_COUNT];
} plan;

void faults_arm(const struct fault *faults, size_t count) {
  plan.faults = faults;
  plan.count = count;
  for (size_t i = 0; i < FAULT_CALLS_COUNT; ++i) plan.calls[i] = 0;
}

void faults_disarm(void) { plan.count = 0; }

bool faults_were_met(const struct fault *fault) { return plan.calls[fault->call] >= fault->at; }

const char *faults_name(enum fault_call call) {
#define FAULT_NAME(name) #name,
  static const char *const names[] = {FAULT_CALLS(FAULT_NAME)};
#undef FAULT_NAME
  return names[call];
}

/* The error that this call meets, or 0. What is not armed is not counted. */
static int meet(enum fault_call call) {
  if (plan.count == 0) return 0;
  unsigned number = ++plan.calls[call];
  for (size_t i = 0; i < plan.count; ++i) {
    const struct fault *fault = &plan.faults[i];
    if (fault->call == call && number >= fault->at && number - fault->at < fault->times) return fault->error;
  }
  return 0;
}

/* Both sides of a function with these parameters, called with these arguments. */
#define FAULT_WRAP(type, name, parameters, arguments, failed) \
  type real_##name parameters __asm__("__real_" #name);       \
  type fault_##name parameters __asm__("__wrap_" #name);      \
  type fault_##name parameters {                              \
    int error = meet(FAULT_##name);                           \
    if (error == 0) return real_##name arguments;             \
    errno = error;                                            \
    return failed;                                            \
  }

FAULT_WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
FAULT_WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), -1)
FAULT_WRAP(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t size),
           (fd, level, option, value, size), -1)
FAULT_WRAP(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *size),
           (fd, level, option, value, size), -1)
FAULT_WRAP(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size), -1)
FAULT_WRAP(int, epoll_create1, (int flags), (flags), -1)
FAULT_WRAP(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event), (epoll, operation, fd, event),
           -1)
FAULT_WRAP(int, eventfd, (unsigned count, int flags), (count, flags), -1)
FAULT_WRAP(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size), -1)
FAULT_WRAP(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout), -1)
FAULT_WRAP(int, ppoll, (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals),
           (fds, count, timeout, signals), -1)
FAULT_WRAP(void *, mmap, (void *address, size_t size, int protection, int flags, int fd, off_t offset),
           (address, size, protection, flags, fd, offset), MAP_FAILED)
FAULT_WRAP(ssize_t, getrandom, (void *buffer, size_t size, unsigned flags), (buffer, size, flags), -1)
FAULT_WRAP(int, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now), -1)
FAULT_WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1)
FAULT_WRAP(int, getaddrinfo,
           (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found),
           (node, service, hints, found), error)
FAULT_WRAP(unsigned, if_nametoindex, (const char *name), (name), 0)

/* Those that take several at a time: one only, where the fault says so. */
#define FAULT_WRAP_BATCH(name, parameters, arguments, count)                \
  int real_##name parameters __asm__("__real_" #name);                      \
  int fault_##name parameters __asm__("__wrap_" #name);                     \
  int fault_##name parameters {                                             \
    int error = meet(FAULT_##name);                                         \
    if (error == FAULT_PARTIAL) (count) = 1;                                \
    if (error == 0 || error == FAULT_PARTIAL) return real_##name arguments; \
    errno = error;                                                          \
    return -1;                                                              \
  }

FAULT_WRAP_BATCH(recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
                 (fd, messages, count, flags, timeout), count)
FAULT_WRAP_BATCH(sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags),
                 count)

int real_fcntl(int fd, int command, ...) __asm__("__real_fcntl");
int fault_fcntl(int fd, int command, ...) __asm__("__wrap_fcntl");
int fault_fcntl(int fd, int command, ...) {
  int error = meet(FAULT_fcntl);
  if (error != 0) {
    errno = error;
    return -1;
  }
  va_list arguments;
  va_start(arguments, command);
  long argument = va_arg(arguments, long);
  va_end(arguments);
  return real_fcntl(fd, command, argument);
}
