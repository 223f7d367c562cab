/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain - the messages that are open in a worker, and how they come to an end with it.
 *
 * A worker that has to end lets the messages finish that have begun, for a while; who would begin
 * another one is put off. Then answers to ends of messages are waited for that are being made, for
 * a moment, and the others are put off too. Sessions between two messages are not waited for: their
 * MTA finds the connection closed, and defers what comes next.
 *
 * Thread-safe; drain_answering() and drain_answered() belong to one thread.
 */
#ifndef MILTER_DRAIN_H
#define MILTER_DRAIN_H

#include <stdbool.h>

/* A message begins. False: not here, and it isn't counted. */
bool drain_begin_message(void);

/* It has ended, with an answer or without. */
void drain_end_message(void);

/* Do no more messages begin? */
bool drain_has_begun(void);

/* The answer to the end of a message is being made. False: there is no time for it any more. Either
 * way it is waited for until drain_end_answer(). */
bool drain_begin_answer(void);

/* It is made, and is the next that this thread writes. */
void drain_end_answer(void);

/* This thread has written something. */
void drain_answered(void);

/* Let no more messages begin, wait LIMIT_MS for those that are open, and after that LAST_MS for the
 * answers that are being made. True: nothing is open any more. */
bool drain(int limit_ms, int last_ms);

#endif
