/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/account.h"
#include "settings/settings.h"

bool settings_table_owner(const struct settings *settings, uid_t *out_owner, struct error *err)
{
	struct account account = { .user = (uid_t)-1 };
	struct error detail;

	if (settings->knows_table_owner) {
		*out_owner = settings->table_owner_user;
		return true;
	}
	if (settings->table_owner[0] != '\0' &&
	    account_find_user(settings->table_owner, &account, &detail) != ACCOUNT_FOUND)
		return error_set(err, detail.status, "table_owner: %s", detail.text);
	*out_owner = account.user;
	return true;
}

bool settings_find_table_owner(struct settings *settings, struct error *err)
{
	settings->knows_table_owner = false;
	settings->knows_table_owner =
		settings_table_owner(settings, &settings->table_owner_user, err);
	return settings->knows_table_owner;
}
