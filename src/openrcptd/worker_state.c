/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/worker_state.h"

struct row {
	bool is_step; /* false: nothing changes */
	enum worker_state state;
	enum worker_action action;
};

static const struct row rows[WORKER_STATES][WORKER_EVENTS] = {
	[WORKER_ABSENT] = {
		[EVENT_DUE] = { true, WORKER_STARTING, ACTION_START },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_STARTING] = {
		[EVENT_NOT_STARTED] = { true, WORKER_ABSENT, ACTION_PLAN },
		[EVENT_READY] = { true, WORKER_SERVING, ACTION_SERVE },
		[EVENT_DIED] = { true, WORKER_ABSENT, ACTION_BURY_BEGINNER },
		[EVENT_NEVER_SERVED] = { true, WORKER_ENDED, ACTION_FAIL },
		[EVENT_DUE] = { true, WORKER_REPLACING, ACTION_GIVE_UP },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_SERVING] = {
		[EVENT_RELOAD] = { true, WORKER_RELOADING, ACTION_READ },
		[EVENT_DIED] = { true, WORKER_ABSENT, ACTION_BURY },
		[EVENT_HUNG] = { true, WORKER_REPLACING, ACTION_KILL },
		[EVENT_SOCKET_RENEWED] = { true, WORKER_RENEWING, ACTION_START_NEXT },
		[EVENT_OUTGROWN] = { true, WORKER_RENEWING, ACTION_START_NEXT },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_RELOADING] = {
		[EVENT_SETTINGS_READ] = { true, WORKER_RELOADING, ACTION_HAND_OVER },
		[EVENT_SETTINGS_BAD] = { true, WORKER_SERVING, ACTION_KEEP },
		[EVENT_RELOADED] = { true, WORKER_SERVING, ACTION_ADOPT },
		[EVENT_KEPT] = { true, WORKER_SERVING, ACTION_KEEP },
		[EVENT_ANOTHER] = { true, WORKER_RENEWING, ACTION_START_NEXT },
		[EVENT_DIED] = { true, WORKER_ABSENT, ACTION_BURY },
		[EVENT_HUNG] = { true, WORKER_REPLACING, ACTION_KILL },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_RENEWING] = {
		[EVENT_NEXT_READY] = { true, WORKER_SERVING, ACTION_TURN_OVER },
		[EVENT_NOT_STARTED] = { true, WORKER_SERVING, ACTION_DROP_NEXT },
		[EVENT_NEXT_DIED] = { true, WORKER_SERVING, ACTION_DROP_NEXT },
		[EVENT_DUE] = { true, WORKER_RENEWING, ACTION_GIVE_UP_NEXT },
		[EVENT_DIED] = { true, WORKER_STARTING, ACTION_PROMOTE },
		[EVENT_HUNG] = { true, WORKER_RENEWING, ACTION_KILL_WORKER },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_REPLACING] = {
		[EVENT_DIED] = { true, WORKER_ABSENT, ACTION_BURY },
		[EVENT_NEVER_SERVED] = { true, WORKER_ABSENT, ACTION_BURY },
		[EVENT_DUE] = { true, WORKER_REPLACING, ACTION_KILL },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_STOP },
	},
	[WORKER_STOPPING] = {
		[EVENT_DIED] = { true, WORKER_STOPPING, ACTION_COUNT },
		[EVENT_NEVER_SERVED] = { true, WORKER_STOPPING, ACTION_COUNT },
		[EVENT_NEXT_DIED] = { true, WORKER_STOPPING, ACTION_COUNT },
		[EVENT_RETIRED_DIED] = { true, WORKER_STOPPING, ACTION_COUNT },
		[EVENT_GONE] = { true, WORKER_ENDED, ACTION_NONE },
		[EVENT_DUE] = { true, WORKER_STOPPING, ACTION_KILL_ALL },
		[EVENT_STOP] = { true, WORKER_STOPPING, ACTION_KILL_ALL },
	},
};

struct worker_step worker_step(enum worker_state state, enum worker_event event)
{
	const struct row *row = &rows[state][event];

	if (!row->is_step)
		return (struct worker_step){ state, ACTION_NONE };
	return (struct worker_step){ row->state, row->action };
}

bool worker_state_serves(enum worker_state state)
{
	return state == WORKER_SERVING || state == WORKER_RELOADING || state == WORKER_RENEWING;
}
