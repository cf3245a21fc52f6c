/*
 * flusher.c
 *    A thread that waits for work, flushes, and says so through an eventfd.
 */
#include "log/flusher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/xalloc.h"

typedef enum FlusherState
{
	FLUSHER_IDLE,
	FLUSHER_WORKING, /* the thread flushes, or is about to */
	FLUSHER_DONE,    /* the result was not taken yet */
	FLUSHER_ENDING,  /* the thread is to end */
} FlusherState;

struct Flusher
{
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	FlusherState state;
	int fd;
	int directory_fd;
	int result; /* errno of a failed flush, or 0 */
	int event_fd;
	bool busy; /* of the main thread: whether a result is to be taken */
};

static int
flush(int fd, int directory_fd)
{
	FAULT("log.before_flush");
	if (fdatasync(fd) != 0)
		return errno;
	if (directory_fd >= 0 && fsync(directory_fd) != 0)
		return errno;
	FAULT("log.after_flush");
	return 0;
}

static void *
run(void *context)
{
	Flusher *self = context;
	const uint64_t one = 1;

	pthread_mutex_lock(&self->mutex);
	for (;;)
	{
		int result;

		while (self->state != FLUSHER_WORKING && self->state != FLUSHER_ENDING)
			pthread_cond_wait(&self->changed, &self->mutex);
		if (self->state == FLUSHER_ENDING)
			break;
		pthread_mutex_unlock(&self->mutex);
		result = flush(self->fd, self->directory_fd);
		pthread_mutex_lock(&self->mutex);
		self->result = result;
		self->state = FLUSHER_DONE;
		pthread_cond_signal(&self->changed);
		CHECK(write(self->event_fd, &one, sizeof(one)) == sizeof(one));
	}
	pthread_mutex_unlock(&self->mutex);
	return NULL;
}

/* Starts the thread.  Signals are for the main thread. */
static int
start(Flusher *self)
{
	sigset_t all;
	sigset_t before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&self->thread, NULL, run, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

Rc
flusher_new(Flusher **flusher, Error *err)
{
	Flusher *self = xcalloc(1, sizeof(Flusher));
	int error;

	self->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	error = self->event_fd < 0 ? errno : 0;
	if (error == 0)
	{
		pthread_mutex_init(&self->mutex, NULL);
		pthread_cond_init(&self->changed, NULL);
		error = start(self);
	}
	if (error != 0)
	{
		if (self->event_fd >= 0)
			close(self->event_fd);
		free(self);
		return error_set(err, ERR_IO, "could not start a thread: %s",
						 strerror(error));
	}
	*flusher = self;
	return RC_OK;
}

void
flusher_free(Flusher *flusher)
{
	if (flusher == NULL)
		return;
	pthread_mutex_lock(&flusher->mutex);
	while (flusher->state == FLUSHER_WORKING)
		pthread_cond_wait(&flusher->changed, &flusher->mutex);
	flusher->state = FLUSHER_ENDING;
	pthread_cond_signal(&flusher->changed);
	pthread_mutex_unlock(&flusher->mutex);
	pthread_join(flusher->thread, NULL);
	pthread_cond_destroy(&flusher->changed);
	pthread_mutex_destroy(&flusher->mutex);
	close(flusher->event_fd);
	free(flusher);
}

void
flusher_begin(Flusher *flusher, int fd, int directory_fd)
{
	ASSERT(!flusher->busy);
	pthread_mutex_lock(&flusher->mutex);
	ASSERT(flusher->state == FLUSHER_IDLE);
	flusher->fd = fd;
	flusher->directory_fd = directory_fd;
	flusher->state = FLUSHER_WORKING;
	pthread_cond_signal(&flusher->changed);
	pthread_mutex_unlock(&flusher->mutex);
	flusher->busy = true;
}

bool
flusher_is_busy(const Flusher *flusher)
{
	return flusher->busy;
}

int
flusher_fd(const Flusher *flusher)
{
	return flusher->event_fd;
}

Rc
flusher_take(Flusher *flusher, Error *err)
{
	uint64_t count;
	bool done;
	int result;

	ASSERT(flusher->busy);
	pthread_mutex_lock(&flusher->mutex);
	done = flusher->state == FLUSHER_DONE;
	result = flusher->result;
	if (done)
	{
		flusher->state = FLUSHER_IDLE;
		CHECK(read(flusher->event_fd, &count, sizeof(count)) == sizeof(count));
	}
	pthread_mutex_unlock(&flusher->mutex);
	if (!done)
		return RC_AGAIN;
	flusher->busy = false;
	return result == 0
			   ? RC_OK
			   : error_set(err, ERR_IO, "could not flush the log to disk: %s",
						   strerror(result));
}
