// A hostile server without a runtime: tries what it did not ask for, by calls that libraries don't make.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char key[4096], out[4096], session[4096];

static int reads(int fd) {
    char byte;
    return fd >= 0 && read(fd, &byte, 1) == 1 ? 0 : -1;
}

// Files.
static int by_a_path_alone(void) {
    char again[64];
    int fd = open(key, O_PATH);
    snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
    return reads(open(again, O_RDONLY));
}
static int from_the_root(void) { return reads(openat(open("/", O_PATH), key + 1, O_RDONLY)); }
static int exchanged(void) { return renameat2(AT_FDCWD, key, AT_FDCWD, out, RENAME_EXCHANGE); }
static int mapped(void) {
    int fd = open(key, O_RDONLY);
    return fd >= 0 && mmap(0, 1, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED ? 0 : -1;
}
static int linked_by_descriptor(void) {
    char linked[4200];
    snprintf(linked, sizeof linked, "%s-linked", out);
    return linkat(open(key, O_PATH), "", AT_FDCWD, linked, AT_EMPTY_PATH);
}
static char flip[4200], folders[2][4200];
static volatile int flips = 1;
static void *flipping(void *unused) {
    char next[4300];
    snprintf(next, sizeof next, "%s-next", flip);
    for (int turn = 0; flips; turn++) {
        unlink(next);
        if (symlink(folders[turn % 2], next) == 0) rename(next, flip);
    }
    return unused;
}
static int by_a_link_that_changes(void) {
    pthread_t thread;
    char path[4300];
    int found = -1;
    snprintf(flip, sizeof flip, "%s-flip", out);
    snprintf(path, sizeof path, "%s/key", flip);
    pthread_create(&thread, 0, flipping, 0);
    for (int turn = 0; turn < 20000 && found; turn++) found = reads(open(path, O_RDONLY));
    flips = 0;
    pthread_join(thread, 0);
    unlink(flip);
    return found;
}
static int by_a_ruleset_of_its_own(void) {
    struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
    int ruleset = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = open("/", O_PATH)};
    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    syscall(SYS_landlock_restrict_self, ruleset, 0);
    return reads(open(key, O_RDONLY));
}
static int the_disk(void) {
    const char *devices[] = {"/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/mem", "/dev/kmsg", "/dev/loop0", "/dev/fuse"};
    for (int at = 0; at < 7; at++)
        if (open(devices[at], O_RDONLY | O_NONBLOCK) >= 0) return 0;
    return -1;
}

// Processes. A program that is started takes the place of a child, where one can be made.
static int instead(int (*become)(void)) {
    int status, child = fork();
    if (child == 0) _exit(become() == 0 ? 0 : 9);
    if (child < 0) return become();
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}
static int vforked(void) {
    int child = vfork();
    if (child == 0) _exit(0);
    return child < 0 ? -1 : waitpid(child, 0, 0) < 0 ? -1 : 0;
}
static int cloned_as_a_process(void) {
    int child = syscall(SYS_clone, CLONE_FS | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return child < 0 ? -1 : 0;
}
static int cloned_into_a_namespace(void) {
    int child = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    return child < 0 ? -1 : 0;
}
static int of_memory(void) {
    char *words[] = {"true", 0};
    int fd = syscall(SYS_memfd_create, "program", 0), program = open("/bin/true", O_RDONLY);
    char page[4096];
    for (ssize_t got; (got = read(program, page, sizeof page)) > 0;) if (write(fd, page, got) != got) return -1;
    return fexecve(fd, words, words + 1);
}
static int from_memory(void) { return instead(of_memory); }
static int with_an_empty_path(void) {
    char *words[] = {"true", 0};
    return syscall(SYS_execveat, open("/bin/true", O_PATH), "", words, words + 1, AT_EMPTY_PATH);
}
static int by_an_empty_path(void) { return instead(with_an_empty_path); }
static int with_zeros(void) {
    char *words[] = {"true", 0};
    return syscall(SYS_execve, "/bin/true", words, words + 1, 0, 0, 0);
}
static int by_zeros(void) { return instead(with_zeros); }
static int its_group_of_smcp(void) { return kill(-getpgid(getppid()), 0); }
static int queued(void) {
    union sigval value = {0};
    return sigqueue(getppid(), 0, value);
}
static int more_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0); }

// The network.
static int of_family(int family, int kind) { return socket(family, kind, 0) < 0 ? -1 : 0; }
static int vsock(void) { return of_family(40, SOCK_STREAM); }
static int packets(void) { return of_family(17, SOCK_RAW); }
static int algorithms(void) { return of_family(38, SOCK_SEQPACKET); }
static int bluetooth(void) { return of_family(31, SOCK_RAW); }
static int by_other_numbers(void) {
#ifdef __x86_64__
    return syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0;
#else
    errno = ENOSYS;
    return -1;
#endif
}
static int by_a_high_half(void) { return syscall(SYS_socket, 1L << 32 | AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0; }
static int another_end(void) {
    int ends[2];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, session, sizeof address.sun_path - 1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return -1;
    close(ends[1]);
    if (connect(ends[0], (void *)&address, sizeof address) == 0) return 0;
    return sendto(ends[0], "x", 1, MSG_NOSIGNAL, (void *)&address, sizeof address) < 0 ? -1 : 0;
}

// The kernel.
static int typed(void) { return ioctl(0, TIOCSTI, "x") == 0 || (errno != EPERM && errno != EACCES) ? 0 : -1; }
static int kept_keys(void) { return syscall(SYS_add_key, "user", "smcp", "x", 1, -3) < 0 ? -1 : 0; }
static int faults(void) { return syscall(SYS_userfaultfd, 0) < 0 ? -1 : 0; }
static int counters(void) { return syscall(SYS_perf_event_open, 0, 0, -1, -1, 0) < 0 && errno == EPERM ? -1 : 0; }
static int by_another_root(void) {
    int root = open("/", O_PATH);
    if (chroot("/usr") == 0 && fchdir(root) == 0 && chroot(".") == 0) return reads(open(key, O_RDONLY));
    return -1;
}

static const struct { const char *name; int (*attempt)(void); } tries[] = {
    {"read the key by a path alone", by_a_path_alone}, {"read the key from the root", from_the_root},
    {"exchange the key", exchanged}, {"map the key", mapped}, {"link the key by its descriptor", linked_by_descriptor},
    {"read the key by a link that changes", by_a_link_that_changes}, {"read a disk", the_disk},
    {"vfork", vforked}, {"clone a process that shares", cloned_as_a_process}, {"clone into a namespace", cloned_into_a_namespace},
    {"run a program of memory", from_memory}, {"run a program by an empty path", by_an_empty_path},
    {"run a program with zeros", by_zeros}, {"signal the group of smcp", its_group_of_smcp},
    {"queue a signal for smcp", queued}, {"take privileges back", more_privileges},
    {"speak to machines", vsock}, {"read packets", packets}, {"use the kernel's algorithms", algorithms},
    {"use radio", bluetooth}, {"make a socket by other numbers", by_other_numbers},
    {"make a socket by a high half", by_a_high_half}, {"give a pair another end", another_end},
    {"type", typed}, {"keep a key", kept_keys}, {"handle faults", faults}, {"count events", counters},
    {"read the key by a ruleset of its own", by_a_ruleset_of_its_own}, {"read the key by another root", by_another_root},
};

int main(void) {
    const char *home = getenv("HOME");
    snprintf(key, sizeof key, "%s/.ssh/key", home);
    snprintf(out, sizeof out, "%s/out/there", home);
    snprintf(session, sizeof session, "%s/session", home);
    snprintf(folders[0], sizeof folders[0], "%s/docs", home);
    snprintf(folders[1], sizeof folders[1], "%s/.ssh", home);
    setvbuf(stdout, 0, _IOLBF, 0);
    for (size_t at = 0; at < sizeof tries / sizeof *tries; at++) {
        errno = 0;
        int done = tries[at].attempt() == 0;
        int error = errno;
        printf("%s: %s\n", tries[at].name, done ? "done" : "refused");
        if (!done) fprintf(stderr, "%s: %s\n", tries[at].name, strerror(error));
    }
    return 0;
}
