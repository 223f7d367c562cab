/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trust - who may own and write what we read.
 *
 * Tables, settings and sources decide where mail goes: whoever can write one, or put another in its
 * place, gives the orders. One rule judges them all, and is strict; a policy says where it is less
 * so for one kind of thing, and why.
 *
 * The rule, for a file: it is a regular one; it belongs to root or to us; neither its group nor
 * others may write it; it has one name. For a directory: it belongs to root or to us; neither its
 * group nor others may write it.
 *
 * Judge what is open, by fstat(2): a name may lead elsewhere a moment later. Thread-safe.
 */
#ifndef BASE_TRUST_H
#define BASE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

enum trust_owner {
	TRUST_ROOT_AND_US, /* us: the effective user */
	TRUST_ROOT,
	TRUST_ANYBODY,
};

#define TRUST_NOBODY ((uid_t)-1)

/* Where the rule is less strict. may_be_sticky: others may write a directory of root's that is
 * sticky, such as /tmp, since nobody can replace another's file there. */
struct trust_policy {
	bool is_directory;
	enum trust_owner owner;
	uid_t also_owner; /* may own it, too; or TRUST_NOBODY */
	bool has_free_group;
	bool has_free_names;
	bool may_be_sticky;
	int exit_status; /* of sysexits(3), for trust_check() */
};

/* A compiled table. To let another user own it, copy the policy and set also_owner. */
extern const struct trust_policy trust_in_table;

/* The configuration and what it includes. Package managers link equal files: names are free. */
extern const struct trust_policy trust_in_configuration;

/* A source of the compiler. Whose it is was the administrator's choice; names likewise. */
extern const struct trust_policy trust_in_source;

/* What an aliases file includes: of root, or of also_owner, who owns that file. The rest was judged
 * as a source. */
extern const struct trust_policy trust_in_included;

/* The directory of any of these. Its owner and its group were the administrator's choice; most of
 * what they could put there is judged by itself. */
extern const struct trust_policy trust_in_folder;

/* The directory of our socket. The MTA judges no socket, so the owner of the directory counts, and
 * /tmp is refused; its group is that of the MTA. */
extern const struct trust_policy trust_in_socket_folder;

/* Code that a program loads, and its directory. */
extern const struct trust_policy trust_in_module;
extern const struct trust_policy trust_in_module_folder;

enum trust_fault {
	TRUST_NO_FAULT,
	TRUST_NOT_REGULAR,
	TRUST_FOREIGN_OWNER,
	TRUST_OTHERS_WRITE,
	TRUST_GROUP_WRITES,
	TRUST_MANY_NAMES,
};

enum { TRUST_TEXT_BYTES = 80 };

/* The first fault of what has STATUS, in the order above. */
enum trust_fault trust_judge(const struct stat *status, const struct trust_policy *policy);

/* FAULT in words, to be put behind the name of the file: "others may write it (mode 0666)". */
void trust_describe(enum trust_fault fault, const struct stat *status,
		    const struct trust_policy *policy, char out_text[TRUST_TEXT_BYTES]);

/* Judge the file PATH that has STATUS. ERR has the status of the policy. */
bool trust_check(const char *path, const struct stat *status, const struct trust_policy *policy,
		 struct error *err);

/*
 * Open the directory in which PATH lies, so that whoever renames folders can't lead us elsewhere
 * between two steps. FLAGS stand beside O_DIRECTORY (O_PATH or O_RDONLY, and O_NOFOLLOW to refuse a
 * link there); *out_name is the file's name in it, a view into PATH. -1 and errno on failure.
 */
int trust_open_folder(const char *path, int flags, const char **out_name);

/* Judge the open directory of the file PATH in the same way. */
bool trust_check_folder(const char *path, int folder_fd, const struct trust_policy *policy,
			struct error *err);

/*
 * Judge the directory in which PATH lies; and where PATH is a link, that of each file on the way,
 * to the last: whoever may write one of them puts another file in the place of ours. What the
 * directories themselves lie in, and whether links lead to them, is the administrator's choice.
 */
bool trust_check_folders(const char *path, const struct trust_policy *policy, struct error *err);

/* The same by trust_in_folder. */
bool trust_check_folder_of(const char *path, struct error *err);

#endif
