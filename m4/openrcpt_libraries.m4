dnl SPDX-License-Identifier: BSD-2-Clause
dnl The libraries, and where things are installed.

dnl OPENRCPT_MODULE(NAME, VARIABLE, LIBRARY)
dnl The module of rcptmap for databases of one kind: built where its library is, unless --without-NAME
dnl says no; --with-NAME insists.
AC_DEFUN([OPENRCPT_MODULE], [
	AC_ARG_WITH([$1],
		[AS_HELP_STRING([--without-$1], [leave out the module for sources of type $1])],
		[], [with_$1=check])
	have_$1=no
	AS_IF([test "x$with_$1" != xno],
		[PKG_CHECK_MODULES([$2], [$3], [have_$1=yes],
			[AS_IF([test "x$with_$1" = xyes],
				[AC_MSG_ERROR([--with-$1: $3 not found])])])])
	AM_CONDITIONAL([$2], [test "x$have_$1" = xyes])
])

AC_DEFUN([OPENRCPT_LIBRARIES], [
	PKG_CHECK_MODULES([LIBCONFIG], [libconfig >= 1.5])
	dnl 1.5 counts the names of the files that it has read, 1.7 ends the list with a null pointer.
	openrcpt_saved_CPPFLAGS=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $LIBCONFIG_CFLAGS"
	AC_CHECK_MEMBER([config_t.num_filenames],
		[LIBCONFIG_CFLAGS="$LIBCONFIG_CFLAGS -DLIBCONFIG_COUNTS_FILES=1"],
		[LIBCONFIG_CFLAGS="$LIBCONFIG_CFLAGS -DLIBCONFIG_COUNTS_FILES=0"],
		[[#include <libconfig.h>]])
	CPPFLAGS=$openrcpt_saved_CPPFLAGS
	PKG_CHECK_MODULES([LIBIDN2], [libidn2 >= 2.3])
	PKG_CHECK_MODULES([PCRE2], [libpcre2-8 >= 10.32])

	AC_CHECK_HEADER([xxhash.h], [],
		[AC_MSG_ERROR([xxhash.h not found (Debian: libxxhash-dev)])])

	openrcpt_saved_LIBS=$LIBS
	AC_CHECK_HEADER([uninorm.h], [],
		[AC_MSG_ERROR([uninorm.h not found (Debian: libunistring-dev)])])
	AC_CHECK_LIB([unistring], [u8_casefold], [UNISTRING_LIBS=-lunistring],
		[AC_MSG_ERROR([libunistring not found (Debian: libunistring-dev)])])
	AC_SUBST([UNISTRING_LIBS])

	AC_CHECK_HEADER([libmilter/mfapi.h], [],
		[AC_MSG_ERROR([libmilter/mfapi.h not found (Debian: libmilter-dev)])])
	dnl The one function that tells a library new enough to leave out protocol steps.
	AC_CHECK_LIB([milter], [smfi_setsymlist], [MILTER_LIBS=-lmilter],
		[AC_MSG_ERROR([libmilter 8.14.3 or newer not found (Debian: libmilter-dev)])],
		[-lpthread])
	AC_SUBST([MILTER_LIBS])
	LIBS=$openrcpt_saved_LIBS

	AC_ARG_WITH([metrics],
		[AS_HELP_STRING([--without-metrics], [leave out the page for Prometheus, and libmicrohttpd])],
		[], [with_metrics=yes])
	AS_IF([test "x$with_metrics" != xno],
		[PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.70])
		METRICS_CPPFLAGS=-DOPENRCPT_METRICS=1],
		[METRICS_CPPFLAGS=-DOPENRCPT_METRICS=0])
	AC_SUBST([METRICS_CPPFLAGS])
	AM_CONDITIONAL([METRICS], [test "x$with_metrics" != xno])

	AC_ARG_WITH([seccomp],
		[AS_HELP_STRING([--without-seccomp], [leave out the list of allowed system calls, and libseccomp])],
		[], [with_seccomp=yes])
	AS_IF([test "x$with_seccomp" != xno],
		[PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.4])
		SANDBOX_CPPFLAGS=-DOPENRCPT_SECCOMP=1],
		[SANDBOX_CPPFLAGS=-DOPENRCPT_SECCOMP=0])
	dnl A sanitizer's runtime reads and writes where it wants, by calls that change with its version.
	AS_IF([test "x$enable_sanitizers" = xno],
		[SANDBOX_CPPFLAGS="$SANDBOX_CPPFLAGS -DOPENRCPT_SANDBOX=1"],
		[SANDBOX_CPPFLAGS="$SANDBOX_CPPFLAGS -DOPENRCPT_SANDBOX=0"])
	AC_SUBST([SANDBOX_CPPFLAGS])

	dnl In the C library itself since glibc 2.34.
	openrcpt_saved_LIBS=$LIBS
	AC_SEARCH_LIBS([dlopen], [dl])
	AS_CASE([$ac_cv_search_dlopen], [-l*], [DLOPEN_LIBS=$ac_cv_search_dlopen], [DLOPEN_LIBS=])
	AC_SUBST([DLOPEN_LIBS])
	LIBS=$openrcpt_saved_LIBS

	OPENRCPT_MODULE([ldap], [LDAP], [ldap >= 2.4 lber >= 2.4])
	OPENRCPT_MODULE([mysql], [MYSQL], [libmariadb >= 3.1])
	OPENRCPT_MODULE([postgresql], [POSTGRESQL], [libpq >= 9.6])
	OPENRCPT_MODULE([sqlite], [SQLITE], [sqlite3 >= 3.16])

	PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1], [have_cmocka=yes], [have_cmocka=no])
	AM_CONDITIONAL([CMOCKA], [test "x$have_cmocka" = xyes])
])

AC_DEFUN([OPENRCPT_PATHS], [
	AC_ARG_WITH([postfix-spool],
		[AS_HELP_STRING([--with-postfix-spool=DIR],
			[queue directory of Postfix, which is the root that smtpd sees @<:@/var/spool/postfix@:>@])],
		[postfix_spool=$withval], [postfix_spool=/var/spool/postfix])
	AC_SUBST([postfix_spool])

	AC_ARG_WITH([systemdsystemunitdir],
		[AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
			[install the systemd unit there @<:@PREFIX/lib/systemd/system@:>@; "no" to leave it out])],
		[], [with_systemdsystemunitdir=yes])
	AS_IF([test "x$with_systemdsystemunitdir" = xyes],
		[systemdsystemunitdir='${prefix}/lib/systemd/system'],
		[systemdsystemunitdir=$with_systemdsystemunitdir])
	AC_SUBST([systemdsystemunitdir])
	AM_CONDITIONAL([SYSTEMD_UNIT], [test "x$with_systemdsystemunitdir" != xno])

	AC_ARG_WITH([bash-completion-dir],
		[AS_HELP_STRING([--with-bash-completion-dir=DIR],
			[install completions for bash there @<:@DATADIR/bash-completion/completions@:>@; "no" to leave them out])],
		[], [with_bash_completion_dir=yes])
	AS_IF([test "x$with_bash_completion_dir" = xyes],
		[bashcompletiondir='${datadir}/bash-completion/completions'],
		[bashcompletiondir=$with_bash_completion_dir])
	AC_SUBST([bashcompletiondir])
	AM_CONDITIONAL([BASH_COMPLETION], [test "x$with_bash_completion_dir" != xno])

	AC_ARG_WITH([zsh-completion-dir],
		[AS_HELP_STRING([--with-zsh-completion-dir=DIR],
			[install completions for zsh there @<:@DATADIR/zsh/site-functions@:>@; "no" to leave them out])],
		[], [with_zsh_completion_dir=yes])
	AS_IF([test "x$with_zsh_completion_dir" = xyes],
		[zshcompletiondir='${datadir}/zsh/site-functions'],
		[zshcompletiondir=$with_zsh_completion_dir])
	AC_SUBST([zshcompletiondir])
	AM_CONDITIONAL([ZSH_COMPLETION], [test "x$with_zsh_completion_dir" != xno])
])
