/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - what a client or a file says an address is, taken apart; and an address printed anew.
 *
 * Everything here works on the *internal form* (RFC 5321 quoting removed): `"q x"@example.org` has
 * the local part `q x`. Only address_print() makes the external form, with quotes where, and only
 * where, RFC 5321 section 4.1.2 (RFC 6531 for UTF-8) wants them.
 *
 * Views point into the text that was parsed or into the arena: they live as long as the shorter-
 * lived of the two. Nothing here folds case: see fold.h. Thread-safe.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

/* Longer input is malformed without a look at it. Postfix stops at about 2,000 bytes. */
enum { ADDRESS_TEXT_MAX = 4096 };

struct address {
	struct bytes local;
	struct bytes domain; /* without the trailing dot; empty: none was given */
};

/* The argument of RCPT TO, as parsed by address_parse_path(). */
struct address_path {
	struct address address;
	/* All of it in internal form, less the source route: what Postfix stores as the original
	 * and says in its replies. */
	struct bytes internal;
	/* What stood between the brackets, less the source route: with brackets around it, what
	 * deletes this recipient from the MTA's envelope (see milter.c). Byte for byte as sent. */
	struct bytes text;
	/* The same with the source route and without blanks behind it, for ORCPT. */
	struct bytes text_with_route;
	/* The address had no `@` and was read as `host!user` or `user%host`: sender-specified
	 * routing. address is what it leads to. */
	bool was_rewritten;
};

enum address_outcome {
	ADDRESS_OK,
	ADDRESS_NULL,      /* `<>`, or nothing at all */
	ADDRESS_MALFORMED, /* nobody can say what it means */
	ADDRESS_NO_MEMORY,
};

/*
 * Parse the path of a RCPT command as RFC 5321 and 6531 have it and as lax as Postfix is:
 * brackets optional; a source route, comments, white space around tokens, one trailing dot
 * dropped; quoted parts and `\x` unquoted. Text behind the closing `>` is ignored, unless it would
 * be a second address. Two words with nothing but a gap between them are malformed.
 *
 * The last `@` counts, quoted or not, and others are part of the local part. Without `@`, `h!u` is
 * u at h, else the last `%` is read as `@`, else the domain is empty. All this measured on Postfix,
 * which requotes an address before it routes it: some forms that it doesn't route (`"a b"%h`) are
 * routed here, none the other way round. What isn't a list of labels or a literal is no domain.
 * Bytes that can't be part of a key (fold.h) may be in the local part.
 */
enum address_outcome address_parse_path(struct bytes text, struct arena *arena,
					struct address_path *out_path);

/* Sender-specified routing: does the local part contain `@`, `%` or `!`? */
bool address_has_routing(const struct address *address);

/*
 * Where the routing in a local part leads, if the domain were stripped: `u%h`, `u@h` and `h!u`
 * lead to u at h; `@` goes before `!`, and that before `%`. Empty hosts are skipped. False if
 * it leads nowhere. Views into the address.
 */
bool address_next_hop(const struct address *address, struct address *out_address);

/* ---- addresses in files --------------------------------------------------------------- */

/*
 * The key column of a virtual(5) line: `user@domain`, `user`, `@domain`, with RFC 5321 quoting.
 * A bare word is returned as a local part without a domain (whether it is meant as a domain, the
 * caller knows by the dot and the format). For `@domain` local is empty and *out_is_catch_all true.
 * ERR (status 65; 71 without memory) says what is wrong with it.
 */
bool address_parse_key(struct bytes text, struct arena *arena, struct address *out_address,
		       bool *out_is_catch_all, struct error *err);

/* One element of an address list. */
struct address_target {
	struct address address;
	bool keeps_user; /* `@other`: local is empty */
};

enum address_list_step {
	ADDRESS_LIST_TARGET, /* *out_target is set */
	ADDRESS_LIST_END,
	ADDRESS_LIST_ERROR,     /* ERR says what; *rest stands behind the bad element */
	ADDRESS_LIST_NO_MEMORY, /* nobody can say what the element is; ERR has status 71 */
};

/*
 * Take the next address from a right-hand side: separated by commas or white space, RFC 5321
 * quoting. Refused, with a reason: unbalanced quotes, comments, `Name <a@b>`, groups, source
 * routes, an unquoted second `@`, commands, files, `:include:`, empty local part or domain, and
 * what address_check() refuses. `!`, `%` and quoted `@` are let through: whether they route is for
 * the caller to judge (address_has_routing()), as is whether a `@other` stands alone. An address
 * without `@` has an empty domain. Enclosing `<` `>` and one trailing dot are dropped.
 * `*rest` begins as the whole right-hand side.
 */
enum address_list_step address_list_next(struct bytes *rest, struct arena *arena,
					 struct address_target *out_target, struct error *err);

/*
 * May ADDRESS be a target or key? ERR (status 65; 71 without memory) says why not. Local part: 1 to
 * 240 bytes, none that fold.h refuses, no `-` or
 * `@` at its begin. Domain (may be empty: then only the local part is checked): labels of 1 to 63
 * letters, digits, `-` and `_`, no `-` at an edge, at most 255 bytes, last label not all digits;
 * the same of its A-label where it isn't ASCII; or a literal `[1.2.3.4]`, `[IPv6:…]`.
 */
bool address_check(const struct address *address, struct error *err);

/*
 * What the DOMAIN of an address in a right-hand side means: ORIGIN, if it is empty; one without a
 * dot, and no literal, has `.` and DOT_DOMAIN behind it, unless that is empty. False: no memory.
 */
bool address_complete_domain(struct bytes domain, struct bytes origin, struct bytes dot_domain,
			     struct arena *arena, struct bytes *out_domain);

/* ---- extensions ----------------------------------------------------------------------- */

/*
 * Split LOCAL at its first byte that is in DELIMITERS. False, and nothing is written, where Postfix
 * doesn't split: no such byte, the user would be empty, `postmaster`, `mailer-daemon`,
 * `double-bounce` (any case), and, with `-` among the delimiters, `owner-*` and `*-request`.
 * The extension begins with its delimiter. Measured on Postfix 3.7 and 3.11.
 */
bool address_split_extension(struct bytes local, struct bytes delimiters, struct bytes *out_user,
			     struct bytes *out_extension);

/* ---- printing ------------------------------------------------------------------------- */

/* Append the external form: minimal quoting; without a domain just the local part (which an MTA
 * reads as routing where `!`, `%` or `@` is in it, quoted or not). False, and nothing is appended:
 * no room, or NUL, CR or LF in it. */
bool address_print(const struct address *address, struct buffer *out_text);

/* Append TEXT for humans and logs: printable ASCII (and, with KEEP_UTF8, valid UTF-8 less C1 and
 * bidi controls) stays, the rest becomes \xhh, `"` and `\` are escaped; cut where this is longer
 * than 256 bytes, then with `...(+N)` for N bytes of TEXT not shown. */
bool address_escape(struct bytes text, bool keep_utf8, struct buffer *out_text);

#endif
