/* musl 1.2 has no epoll_pwait2, the wait of nanoseconds that Linux has since 5.11: this is the system call itself.
 * struct timespec is the kernel's there, on machines of 32 bits too. */
#include_next <sys/epoll.h>

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline int copal_epoll_pwait2(int epoll, struct epoll_event *events, int events_max,
                                     const struct timespec *timeout, const sigset_t *signals) {
  return (int)syscall(SYS_epoll_pwait2, epoll, events, events_max, timeout, signals, _NSIG / 8);
}

#define epoll_pwait2 copal_epoll_pwait2
