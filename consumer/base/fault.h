/*
 * fault.h
 *    Places of the code at which a test can kill the program.
 *
 * A build with -DPENSTOCK_FAULTS reads the environment variable PENSTOCK_FAULT,
 * "NAME" or "NAME:N".  When the program reaches FAULT("NAME") for the N-th time
 * (default: the first), it kills itself with SIGKILL.  PENSTOCK_FAULT_STOP is
 * the same with SIGSTOP, after which a test does to others what it likes.  In
 * any other build FAULT() does nothing.
 */
#ifndef PENSTOCK_BASE_FAULT_H
#define PENSTOCK_BASE_FAULT_H

#ifdef PENSTOCK_FAULTS
void fault_reached(const char *name);
#define FAULT(name) fault_reached(name)
#else
#define FAULT(name) ((void) 0)
#endif

#endif /* PENSTOCK_BASE_FAULT_H */
