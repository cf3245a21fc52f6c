/*
 * fault.h
 *    Places at which a test can have the program die.
 *
 * A build with -DPENSTOCK_FAULTS reads the environment variable PENSTOCK_FAULT,
 * "NAME" or "NAME:N", and ends at once, as by kill -9, when the place of that
 * name is reached for the N-th time (default: the first).  In any other build
 * FAULT() is nothing.
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
