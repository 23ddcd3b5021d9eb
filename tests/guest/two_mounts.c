/* What a shell cannot do to a file that two mounts have: locks that wait, random operations beside a model in memory,
 * files that are renamed or removed while they are open. Built by `tests/guest/run`, runs in the guest.
 *
 * usage: two_mounts CHECK FIRST SECOND [WORD...]   FIRST and SECOND: the same folder by two mounts
 * Prints what was wrong and exits with 1; with 0 if nothing was. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *first, *second;

static void wrong(const char *format, ...) {
    va_list words;
    va_start(words, format);
    vprintf(format, words);
    va_end(words);
    printf("\n");
    exit(1);
}

/* The path of `name` on the first mount (0) or the second (1), in one of a few buffers. */
static char *at(int mount, const char *name) {
    static char buffers[8][512];
    static int next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof buffers[0], "%s/%s", mount ? second : first, name);
    return buffer;
}

static int opened(const char *path, int flags) {
    int fd = open(path, flags, 0644);
    if (fd < 0)
        wrong("open %s: %s", path, strerror(errno));
    return fd;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void nap(double seconds) {
    struct timespec t = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- random operations ---- */

#define LARGEST (256 * 1024)

static unsigned char model[LARGEST], seen[LARGEST];
static long length;
static uint64_t state;

static unsigned long any(unsigned long below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return below ? (unsigned long)((state >> 33) % below) : 0;
}

static void fill(long offset, long count) {
    unsigned char start = (unsigned char)any(256);
    for (long i = 0; i < count; i++)
        model[offset + i] = (unsigned char)(start + i * 7);
}

static void compare(int step, const char *what, int mount, long offset, long count) {
    for (long i = 0; i < count; i++)
        if (seen[i] != model[offset + i])
            wrong("step %d, %s by mount %d at %ld+%ld: byte %ld is %#x, should be %#x (length %ld)", step, what, mount + 1,
                  offset, count, offset + i, seen[i], model[offset + i], length);
}

/* `mounts` 1: all by the first mount. 2: each operation by any of the two, on files that stay open. */
static void random_operations(int seed, int steps, int mounts, int mapped) {
    int fd[2] = {-1, -1};
    state = (uint64_t)seed;
    unlink(at(0, "random"));
    fd[0] = opened(at(0, "random"), O_RDWR | O_CREAT | O_TRUNC);
    if (mounts == 2)
        fd[1] = opened(at(1, "random"), O_RDWR);
    for (int step = 0; step < steps; step++) {
        int mount = mounts == 2 ? (int)any(2) : 0;
        unsigned what = (unsigned)any(mapped ? 9 : 7);
        long offset = (long)any(LARGEST), count = 1 + (long)any(any(4) ? 6000 : 60000);
        if (count > LARGEST - offset)
            count = LARGEST - offset;
        if (what <= 1) { /* write */
            if (offset > length)
                memset(model + length, 0, (size_t)(offset - length));
            fill(offset, count);
            ssize_t done = pwrite(fd[mount], model + offset, (size_t)count, offset);
            if (done != count)
                wrong("step %d, write of %ld at %ld by mount %d: %zd, %s", step, count, offset, mount + 1, done, strerror(errno));
            if (offset + count > length)
                length = offset + count;
        } else if (what <= 3) { /* read */
            long should = offset >= length ? 0 : count > length - offset ? length - offset : count;
            ssize_t done = pread(fd[mount], seen, (size_t)count, offset);
            if (done != should)
                wrong("step %d, read of %ld at %ld by mount %d: %zd instead of %ld, %s (length %ld)", step, count, offset, mount + 1, done, should, strerror(errno), length);
            compare(step, "read", mount, offset, should);
        } else if (what == 4) { /* truncate */
            if (ftruncate(fd[mount], offset))
                wrong("step %d, truncate to %ld by mount %d: %s", step, offset, mount + 1, strerror(errno));
            if (offset > length)
                memset(model + length, 0, (size_t)(offset - length));
            length = offset;
        } else if (what == 5) { /* close and open again */
            if (close(fd[mount]))
                wrong("step %d, close by mount %d: %s", step, mount + 1, strerror(errno));
            fd[mount] = opened(at(mount, "random"), O_RDWR);
        } else if (what == 6) { /* length, or synchronize */
            struct stat status;
            if (any(2) && fsync(fd[mount]))
                wrong("step %d, fsync by mount %d: %s", step, mount + 1, strerror(errno));
            if (mounts == 1 && (fstat(fd[mount], &status) || status.st_size != length))
                wrong("step %d: length %ld, should be %ld", step, (long)status.st_size, length);
        } else { /* mapped read or write, within the length */
            if (length < 8192)
                continue;
            offset = (long)any((unsigned long)(length - 4096));
            count = 1 + (long)any((unsigned long)(length - offset > 40000 ? 40000 : length - offset));
            long page = offset & ~4095L;
            unsigned char *map = mmap(NULL, (size_t)(offset - page + count), PROT_READ | PROT_WRITE, MAP_SHARED, fd[mount], page);
            if (map == MAP_FAILED)
                wrong("step %d, mmap of %ld at %ld by mount %d: %s", step, count, offset, mount + 1, strerror(errno));
            if (what == 7) {
                memcpy(seen, map + (offset - page), (size_t)count);
                compare(step, "mapped read", mount, offset, count);
            } else {
                fill(offset, count);
                memcpy(map + (offset - page), model + offset, (size_t)count);
                if (msync(map, (size_t)(offset - page + count), MS_SYNC))
                    wrong("step %d, msync by mount %d: %s", step, mount + 1, strerror(errno));
            }
            munmap(map, (size_t)(offset - page + count));
        }
    }
    for (int mount = 0; mount < mounts; mount++)
        close(fd[mount]);
    for (int mount = 1; mount >= 0; mount--) {
        int last = opened(at(mount, "random"), O_RDONLY);
        ssize_t done = pread(last, seen, LARGEST, 0);
        if (done != length)
            wrong("at the end, by mount %d: length %zd, should be %ld", mount + 1, done, length);
        compare(steps, "the whole file", mount, 0, length);
        close(last);
    }
    unlink(at(0, "random"));
}

/* ---- locks ---- */

enum kind { POSIX, FLOCK };

static int lock(int fd, enum kind kind, int type, long start, long count, int wait) {
    if (kind == FLOCK)
        return flock(fd, (type == F_WRLCK ? LOCK_EX : type == F_RDLCK ? LOCK_SH : LOCK_UN) | (wait ? 0 : LOCK_NB));
    struct flock range = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
    return fcntl(fd, wait ? F_SETLKW : F_SETLK, &range);
}

static void expect_lock(const char *what, int fd, enum kind kind, int type, long start, long count, int granted) {
    int done = lock(fd, kind, type, start, count, 0);
    if (granted && done)
        wrong("%s: should be granted: %s", what, strerror(errno));
    if (!granted && !done)
        wrong("%s: should be refused, was granted", what);
    if (!granted && errno != EAGAIN && errno != EACCES)
        wrong("%s: refused with %s instead of EAGAIN", what, strerror(errno));
}

static void ignored(int signal) { (void)signal; }

/* In a child: waits for the lock by the second mount, says 'g' (granted) or 'i' (interrupted), after 'w' (asking). */
static pid_t waiter(int *says, enum kind kind, int type) {
    int ends[2];
    if (pipe(ends))
        wrong("pipe");
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = ignored};
        sigaction(SIGUSR1, &action, NULL);
        int fd = opened(at(1, "locked"), O_RDWR);
        if (write(ends[1], "w", 1) != 1)
            _exit(2);
        int done = lock(fd, kind, type, 0, 100, 1);
        char said = !done ? 'g' : errno == EINTR ? 'i' : 'e';
        if (said == 'e')
            printf("a lock that waits: %s\n", strerror(errno)), fflush(stdout);
        if (write(ends[1], &said, 1) != 1)
            _exit(2);
        if (said == 'g') {
            nap(0.2);
            lock(fd, kind, F_UNLCK, 0, 100, 1);
        }
        close(fd);
        _exit(said == 'e');
    }
    close(ends[1]);
    *says = ends[0];
    return child;
}

/* What the child says next, or 0 if nothing for so long. */
static char said(int from, double seconds) {
    char word = 0;
    fcntl(from, F_SETFL, O_NONBLOCK);
    for (double end = now() + seconds; now() < end; nap(0.02)) {
        ssize_t done = read(from, &word, 1);
        if (done == 1)
            return word;
        if (done == 0)
            return '.';
    }
    return 0;
}

static void locks_that_wait(enum kind kind) {
    const char *name = kind == FLOCK ? "flock" : "fcntl";
    int says, mine = opened(at(0, "locked"), O_RDWR | O_CREAT);
    if (pwrite(mine, "0123456789", 10, 0) != 10)
        wrong("write");
    expect_lock("the first lock", mine, kind, F_WRLCK, 0, 100, 1);
    int other = opened(at(1, "locked"), O_RDWR);
    expect_lock("the same lock by the other mount", other, kind, F_WRLCK, 0, 100, 0);
    expect_lock("a shared lock by the other mount", other, kind, F_RDLCK, 0, 100, 0);
    if (kind == POSIX) {
        expect_lock("the range behind, by the other mount", other, kind, F_WRLCK, 100, 10, 1);
        expect_lock("a range that reaches into that, by the first", mine, kind, F_WRLCK, 50, 100, 0);
        expect_lock("unlock of the range behind", other, kind, F_UNLCK, 100, 10, 1);
    }
    /* The client lets several opens of one file share a handle on the server: the one that waits has its own. */
    close(other);
    pid_t child = waiter(&says, kind, F_WRLCK);
    if (said(says, 30) != 'w' || said(says, 1.5) != 0)
        wrong("%s: granted while the other mount holds the lock", name);
    double start = now();
    if (lock(mine, kind, F_UNLCK, 0, 100, 0))
        wrong("%s: unlock: %s", name, strerror(errno));
    if (said(says, 20) != 'g')
        wrong("%s: not granted in 20 s after the other mount's unlock", name);
    if (now() - start > 5)
        wrong("%s: granted only %.1f s after the unlock", name, now() - start);
    waitpid(child, NULL, 0);

    /* Interrupted: the client takes its request back or closes the file, so the lock is never granted to nobody. */
    expect_lock("the lock again", mine, kind, F_WRLCK, 0, 100, 1);
    child = waiter(&says, kind, F_WRLCK);
    if (said(says, 30) != 'w' || said(says, 1.5) != 0)
        wrong("%s: the second wait does not wait", name);
    kill(child, SIGUSR1);
    char word = said(says, 2);
    if (word == 0) /* Linux 6.1 waits on: only the end of the process ends it, and the handle is closed */
        kill(child, SIGKILL);
    else if (word != 'i')
        wrong("%s: a signal while it waits: '%c'", name, word);
    waitpid(child, NULL, 0);
    nap(1);
    lock(mine, kind, F_UNLCK, 0, 100, 0);
    /* It may have been granted to the process that is gone; then the close that follows gives it back. */
    for (double end = now() + 5; now() < end && lock(mine, kind, F_WRLCK, 0, 100, 0); nap(0.1))
        ;
    lock(mine, kind, F_UNLCK, 0, 100, 0);
    expect_lock("the lock after an interrupted wait", mine, kind, F_WRLCK, 0, 100, 1);
    lock(mine, kind, F_UNLCK, 0, 100, 0);
    other = opened(at(1, "locked"), O_RDWR);
    if (kind == POSIX) {
        expect_lock("shared, by the first", mine, kind, F_RDLCK, 0, 50, 1);
        expect_lock("shared, by the second", other, kind, F_RDLCK, 10, 50, 1);
        expect_lock("exclusive beside a shared one", other, kind, F_WRLCK, 0, 20, 0);
    }
    /* Closing gives locks back. */
    lock(other, kind, F_UNLCK, 0, 0, 0);
    close(mine);
    expect_lock("the lock after the other's close", other, kind, F_WRLCK, 0, 100, 1);
    close(other);
    unlink(at(0, "locked"));
}

/* Two writers add lines under a lock; every line must be there. */
static void append(int lines) {
    char line[64];
    close(opened(at(0, "appended"), O_RDWR | O_CREAT | O_TRUNC));
    for (int who = 0; who < 2; who++)
        if (fork() == 0) {
            int fd = opened(at(who, "appended"), O_RDWR);
            for (int i = 0; i < lines; i++) {
                int count = snprintf(line, sizeof line, "%c%05d\n", 'a' + who, i);
                if (lock(fd, POSIX, F_WRLCK, 0, 0, 1))
                    wrong("lock: %s", strerror(errno));
                off_t end = lseek(fd, 0, SEEK_END);
                if (end < 0 || pwrite(fd, line, (size_t)count, end) != count)
                    wrong("write at %ld: %s", (long)end, strerror(errno));
                if (fsync(fd))
                    wrong("fsync: %s", strerror(errno));
                if (lock(fd, POSIX, F_UNLCK, 0, 0, 1))
                    wrong("unlock: %s", strerror(errno));
            }
            close(fd);
            exit(0);
        }
    int status, bad = 0;
    while (wait(&status) > 0)
        bad |= status;
    if (bad)
        wrong("a writer failed");
    int next[2] = {0, 0}, who, number;
    FILE *file = fopen(at(0, "appended"), "r");
    while (fgets(line, sizeof line, file)) {
        if (strlen(line) != 7 || (who = line[0] - 'a', who < 0 || who > 1) || (number = atoi(line + 1)) != next[who])
            wrong("line %d is %s", next[0] + next[1], line);
        next[who]++;
    }
    fclose(file);
    if (next[0] != lines || next[1] != lines)
        wrong("%d and %d lines instead of %d each", next[0], next[1], lines);
    unlink(at(0, "appended"));
}

/* Four processes, two on each mount, count in one file under a lock. Some open it anew for each step: each open takes
 * away what the other mount's client has in its cache. */
static void count_together(int steps) {
    char text[16];
    int fd = opened(at(0, "counter"), O_RDWR | O_CREAT | O_TRUNC);
    if (write(fd, "0000000", 7) != 7 || close(fd))
        wrong("write: %s", strerror(errno));
    for (int who = 0; who < 4; who++)
        if (fork() == 0) {
            fd = -1;
            for (int i = 0; i < steps; i++) {
                if (fd < 0)
                    fd = opened(at(who % 2, "counter"), O_RDWR);
                if (lock(fd, POSIX, F_WRLCK, 0, 7, 1))
                    wrong("lock: %s", strerror(errno));
                memset(text, 0, sizeof text);
                if (pread(fd, text, 7, 0) != 7 || strspn(text, "0123456789") != 7)
                    wrong("process %d, step %d reads `%s`", who, i, text);
                snprintf(text, sizeof text, "%07d", atoi(text) + 1);
                if (pwrite(fd, text, 7, 0) != 7 || fsync(fd))
                    wrong("write: %s", strerror(errno));
                if (lock(fd, POSIX, F_UNLCK, 0, 7, 1))
                    wrong("unlock: %s", strerror(errno));
                if (who < 2) {
                    if (close(fd))
                        wrong("close: %s", strerror(errno));
                    fd = -1;
                }
            }
            exit(0);
        }
    int status, bad = 0;
    while (wait(&status) > 0)
        bad |= status;
    if (bad)
        wrong("a process failed");
    for (int mount = 0; mount < 2; mount++) {
        memset(text, 0, sizeof text);
        fd = opened(at(mount, "counter"), O_RDONLY);
        if (pread(fd, text, 7, 0) != 7 || atoi(text) != 4 * steps)
            wrong("counted `%s`, should be %d, by mount %d", text, 4 * steps, mount + 1);
        close(fd);
    }
    unlink(at(0, "counter"));
}

/* Both mounts make, rename and remove the same few names at once. Any single step may fail, because the other was
 * quicker; but a name never turns into something else, and at the end both see the same. */
static void storm(int steps) {
    char one[16], two[16], text[32];
    for (int who = 0; who < 2; who++)
        if (fork() == 0) {
            state = (uint64_t)(who + 17);
            for (int i = 0; i < steps; i++) {
                snprintf(one, sizeof one, "storm%lu", any(5));
                snprintf(two, sizeof two, "storm%lu", any(5));
                int fd, done = 0;
                errno = 0;
                unsigned long what = any(4);
                switch (what) {
                case 0:
                    fd = open(at(who, one), O_RDWR | O_CREAT, 0644);
                    done = fd < 0 ? -1 : 0;
                    if (fd >= 0 && pwrite(fd, "contents", 8, 0) != 8)
                        wrong("write: %s", strerror(errno));
                    if (fd >= 0)
                        close(fd);
                    break;
                case 1:
                    done = rename(at(who, one), at(who, two));
                    break;
                case 2:
                    done = unlink(at(who, one));
                    break;
                default:
                    fd = open(at(who, one), O_RDONLY);
                    done = fd < 0 ? -1 : 0;
                    if (fd >= 0) {
                        ssize_t got = read(fd, text, sizeof text);
                        if (got != 0 && (got != 8 || memcmp(text, "contents", 8)))
                            wrong("step %d: %zd bytes of another file, %s", i, got, strerror(errno));
                        close(fd);
                    }
                }
                /* EINVAL: the client asks for a name with the lease of the file that had it before the other mount
                 * renamed that ([MS-SMB2] 3.3.5.9.8). */
                if (done && errno != EINVAL && errno != ENOENT && errno != EACCES && errno != EBUSY && errno != EEXIST &&
                    errno != ESTALE && errno != ETXTBSY)
                    wrong("step %d, mount %d, %s %s: %s", i, who + 1, ((const char *[]){"create", "rename", "unlink", "read"})[what],
                          one, strerror(errno));
            }
            exit(0);
        }
    int status, bad = 0;
    while (wait(&status) > 0)
        bad |= status;
    if (bad)
        wrong("a process failed");
    nap(2.5); /* what was unlinked while open is gone after the client's late closes */
    for (int i = 0; i < 5; i++) {
        snprintf(one, sizeof one, "storm%d", i);
        int here = access(at(0, one), F_OK), there = access(at(1, one), F_OK);
        if (here != there)
            wrong("%s is there by one mount only", one);
        if (!here && unlink(at(0, one)))
            wrong("unlink at the end: %s", strerror(errno));
    }
    nap(2.5);
    for (int i = 0; i < 5; i++) {
        snprintf(one, sizeof one, "storm%d", i);
        int fd = open(at(1, one), O_RDWR | O_CREAT | O_EXCL, 0644);
        if (fd < 0)
            wrong("%s cannot be made again: %s", one, strerror(errno));
        close(fd);
        unlink(at(1, one));
    }
}

/* The client's own call that waits for a change in a folder. */
struct watched {
    uint32_t completion_filter;
    uint8_t watch_tree;
} __attribute__((packed));
#define WAIT_FOR_CHANGE _IOW(0xCF, 9, struct watched)

static void notify(void) {
    int ends[2];
    if (pipe(ends))
        wrong("pipe");
    pid_t child = fork();
    if (child == 0) {
        struct watched watched = {1, 0}; /* names of files */
        int fd = open(second, O_RDONLY | O_DIRECTORY);
        if (fd < 0 || write(ends[1], "w", 1) != 1)
            _exit(2);
        char said = !ioctl(fd, WAIT_FOR_CHANGE, &watched) ? 'c' : errno == EOPNOTSUPP ? 'n' : 'e';
        if (said == 'e')
            printf("the wait for a change: %s\n", strerror(errno));
        _exit(write(ends[1], &said, 1) != 1);
    }
    char word = said(ends[0], 30);
    if (word == 'w' && (word = said(ends[0], 2)) == 0) {
        close(opened(at(0, "new"), O_RDWR | O_CREAT));
        word = said(ends[0], 10);
        if (word != 'c')
            wrong("no word of a new file in 10 s ('%c')", word ? word : '-');
        waitpid(child, NULL, 0);
    } else if (word == 'n')
        printf("# the client has no such call at this dialect\n");
    else
        wrong("should wait, says '%c'", word ? word : '-');
}

/* ---- open files that are renamed or removed ---- */

static void expect(int condition, const char *what) {
    if (!condition)
        wrong("%s: %s", what, errno ? strerror(errno) : "no");
}

static void while_open(void) {
    char read_back[16] = "";
    struct stat status;
    int fd = opened(at(0, "open"), O_RDWR | O_CREAT | O_TRUNC);
    expect(write(fd, "contents", 8) == 8, "write");
    errno = 0;
    expect(rename(at(0, "open"), at(0, "moved")) == 0, "rename of an open file by the same mount");
    expect(pread(fd, read_back, 8, 0) == 8 && !memcmp(read_back, "contents", 8), "read after the rename");
    expect(pwrite(fd, "more", 4, 8) == 4 && fsync(fd) == 0, "write after the rename");
    expect(stat(at(1, "moved"), &status) == 0 && status.st_size == 12, "the new name by the other mount, 12 bytes");
    expect(stat(at(1, "open"), &status) != 0 && errno == ENOENT, "the old name is gone by the other mount");
    errno = 0;
    expect(rename(at(1, "moved"), at(1, "moved2")) == 0, "rename of an open file by the other mount");
    expect(pwrite(fd, "x", 1, 12) == 1 && fsync(fd) == 0, "write after the other's rename");
    errno = 0;
    expect(unlink(at(0, "moved2")) == 0, "unlink of an open file by the same mount");
    nap(1.2); /* the client keeps attributes for a second */
    expect(stat(at(1, "moved2"), &status) != 0, "an unlinked name is gone by the other mount");
    errno = 0;
    expect(pread(fd, read_back, 8, 0) == 8, "read after unlink");
    expect(close(fd) == 0, "close of an unlinked file");
    nap(0.2);
    fd = open(at(1, "moved2"), O_RDWR | O_CREAT | O_EXCL, 0644);
    expect(fd >= 0, "the name is free after the last close");
    close(fd);
    /* The other mount keeps it open. */
    fd = opened(at(1, "moved2"), O_RDWR);
    expect(pwrite(fd, "y", 1, 0) == 1, "write by the other");
    errno = 0;
    expect(unlink(at(0, "moved2")) == 0, "unlink of a file that the other mount has open");
    expect(pread(fd, read_back, 1, 0) == 1 && read_back[0] == 'y', "the other reads on");
    expect(close(fd) == 0, "the other closes");
    /* Over a file that exists. */
    close(opened(at(0, "from"), O_RDWR | O_CREAT));
    fd = opened(at(0, "onto"), O_RDWR | O_CREAT);
    expect(write(fd, "old", 3) == 3, "write");
    close(fd);
    fd = opened(at(1, "onto"), O_RDONLY); /* so that the other mount may cache it */
    expect(read(fd, read_back, 3) == 3, "read");
    close(fd);
    errno = 0;
    expect(rename(at(0, "from"), at(0, "onto")) == 0, "rename over an existing file");
    expect(stat(at(0, "onto"), &status) == 0 && status.st_size == 0, "the new file, by the same mount");
    nap(1.1);
    expect(stat(at(1, "onto"), &status) == 0 && status.st_size == 0, "the new file, by the other mount");
    expect(unlink(at(1, "onto")) == 0, "unlink by the other");
}

/* What one writes, the other sees, while both keep the file open. */
static void seen_by_the_other(void) {
    char back[64], text[64];
    int a = opened(at(0, "seen"), O_RDWR | O_CREAT | O_TRUNC), b = opened(at(1, "seen"), O_RDWR);
    for (int i = 0; i < 20; i++) {
        int writer = i % 2 ? a : b, reader = i % 2 ? b : a;
        int count = snprintf(text, sizeof text, "version %d of the text", i);
        if (pwrite(writer, text, (size_t)count, 0) != count)
            wrong("write %d: %s", i, strerror(errno));
        if (i % 3 == 0)
            fsync(writer);
        ssize_t done = pread(reader, back, (size_t)count, 0);
        if (done != count || memcmp(back, text, (size_t)count))
            wrong("version %d: the other reads `%.*s` (%zd)", i, (int)(done > 0 ? done : 0), back, done);
    }
    close(a);
    close(b);
    unlink(at(0, "seen"));
}

int main(int count, char **words) {
    if (count < 4)
        return 2;
    const char *check = words[1];
    first = words[2];
    second = words[3];
    setvbuf(stdout, NULL, _IONBF, 0);
    int number = count > 4 ? atoi(words[4]) : 0, steps = count > 5 ? atoi(words[5]) : 300;
    if (!strcmp(check, "fcntl"))
        locks_that_wait(POSIX);
    else if (!strcmp(check, "flock"))
        locks_that_wait(FLOCK);
    else if (!strcmp(check, "append"))
        append(number);
    else if (!strcmp(check, "count"))
        count_together(number);
    else if (!strcmp(check, "storm"))
        storm(number);
    else if (!strcmp(check, "notify"))
        notify();
    else if (!strcmp(check, "while_open"))
        while_open();
    else if (!strcmp(check, "seen"))
        seen_by_the_other();
    else if (!strcmp(check, "random"))
        random_operations(number, steps, 1, 1);
    else if (!strcmp(check, "random2"))
        random_operations(number, steps, 2, 0);
    else
        return 2;
    return 0;
}
