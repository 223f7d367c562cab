/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/signals.h"

#include <stddef.h>

/* Set by signal handlers, which do nothing else. */
static volatile sig_atomic_t stop_signalled;
static volatile sig_atomic_t compile_signalled;

static const int handled_signals[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };

static void on_signal(int number)
{
	if (number == SIGHUP)
		compile_signalled = 1;
	else if (number == SIGTERM || number == SIGINT)
		stop_signalled = 1;
	/* SIGCHLD only has to wake us. */
}

void signals_handle(sigset_t *out_while_waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* can't fail, as the rest here: the numbers are sound */
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(handled_signals) / sizeof(handled_signals[0]); i++) {
		(void)sigaction(handled_signals[i], &action, NULL);
		(void)sigaddset(&blocked, handled_signals[i]);
	}
	(void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	(void)sigemptyset(out_while_waiting);
}

void signals_reset(void)
{
	sigset_t none;

	(void)sigemptyset(&none); /* can't fail, as the rest here: the numbers are sound */
	for (size_t i = 0; i < sizeof(handled_signals) / sizeof(handled_signals[0]); i++)
		(void)signal(handled_signals[i], SIG_DFL);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

bool signals_want_stop(void)
{
	return stop_signalled != 0;
}

bool signals_take_compile(void)
{
	bool is_asked = compile_signalled != 0;

	/* One that comes just now is answered by the compilation that follows. */
	compile_signalled = 0;
	return is_asked;
}
