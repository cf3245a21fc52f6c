/*
 * lost_writes.c
 *    A library for LD_PRELOAD that keeps back what is written to segments of a
 *    log until it is flushed, as the kernel does.
 *
 * So a process that is killed loses what it has not flushed, as it would if the
 * machine crashed.  Of the writes some are done at once, because the kernel may
 * write earlier, and in any order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 1024

typedef struct Write
{
	struct Write *next;
	off_t offset;
	size_t length;
	char data[];
} Write;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int is_segment[FILES_MAX];
static Write *kept[FILES_MAX]; /* last one first */

static int
ends_with_log(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && strcmp(name + length - 4, ".log") == 0;
}

int
openat(int directory, const char *name, int flags, ...)
{
	static int (*next)(int, const char *, int, ...);
	va_list args;
	int mode;
	int fd;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	if (next == NULL)
		next = (int (*)(int, const char *, int, ...)) dlsym(RTLD_NEXT,
															"openat");
	fd = next(directory, name, flags, mode);
	if (fd >= 0 && fd < FILES_MAX)
		is_segment[fd] = (flags & O_CREAT) != 0 && ends_with_log(name);
	return fd;
}

static ssize_t
write_now(int fd, const void *data, size_t length, off_t offset)
{
	static ssize_t (*next)(int, const void *, size_t, off_t);

	if (next == NULL)
		next = (ssize_t(*)(int, const void *, size_t, off_t)) dlsym(RTLD_NEXT,
																	"pwrite");
	return next(fd, data, length, offset);
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
	static unsigned int seed;
	Write *kept_write;

	if (fd >= FILES_MAX || !is_segment[fd])
		return write_now(fd, data, length, offset);
	if (seed == 0)
		seed = (unsigned int) time(NULL) ^ (unsigned int) getpid();
	if (rand_r(&seed) % 3 == 0)
		return write_now(fd, data, length, offset);
	kept_write = malloc(sizeof(Write) + length);
	kept_write->offset = offset;
	kept_write->length = length;
	memcpy(kept_write->data, data, length);
	pthread_mutex_lock(&mutex);
	kept_write->next = kept[fd];
	kept[fd] = kept_write;
	pthread_mutex_unlock(&mutex);
	return (ssize_t) length;
}

static void
write_kept(int fd)
{
	pthread_mutex_lock(&mutex);
	while (fd < FILES_MAX && kept[fd] != NULL)
	{
		Write *first = kept[fd];

		kept[fd] = first->next;
		(void) !write_now(fd, first->data, first->length, first->offset);
		free(first);
	}
	pthread_mutex_unlock(&mutex);
}

int
fdatasync(int fd)
{
	write_kept(fd);
	return 0;
}

int
ftruncate(int fd, off_t length)
{
	static int (*next)(int, off_t);

	if (next == NULL)
		next = (int (*)(int, off_t)) dlsym(RTLD_NEXT, "ftruncate");
	write_kept(fd);
	return next(fd, length);
}
