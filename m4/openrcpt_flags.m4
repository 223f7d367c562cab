dnl SPDX-License-Identifier: BSD-2-Clause
dnl Which warnings, hardening flags and sanitizers this compiler takes. Each flag is tried alone,
dnl with warnings as errors, so that a flag that is only half understood is left out.

dnl OPENRCPT_TRY_FLAG(FLAGS, KIND, VARIABLE, [IF-NOT])
dnl Add FLAGS to VARIABLE if a program compiles and links with them. KIND is CFLAGS, CPPFLAGS or LDFLAGS.
AC_DEFUN([OPENRCPT_TRY_FLAG], [
	AS_VAR_PUSHDEF([cache], [openrcpt_cv_$2_$1])
	AC_CACHE_CHECK([whether $CC takes $1], [cache], [
		openrcpt_saved_CFLAGS=$CFLAGS
		openrcpt_saved_$2=$$2
		$2="$$2 $1"
		CFLAGS="$CFLAGS -Werror"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]],
				[[char text[8]; memset(text, 0, sizeof(text)); return text[0];]])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		$2=$openrcpt_saved_$2
		CFLAGS=$openrcpt_saved_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [$3="$$3 $1"], [$4])
	AS_VAR_POPDEF([cache])
])

AC_DEFUN([OPENRCPT_WARNINGS], [
	WARNING_CFLAGS=
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
			-Wformat=2 -Wvla -Walloca -Wconversion -Wundef],
		[OPENRCPT_TRY_FLAG(flag, [CFLAGS], [WARNING_CFLAGS])])
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
		[], [enable_werror=no])
	AS_IF([test "x$enable_werror" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
	AC_SUBST([WARNING_CFLAGS])
])

AC_DEFUN([OPENRCPT_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers],
		[AS_HELP_STRING([--enable-sanitizers=LIST],
			[build with -fsanitize=LIST, as in address,undefined or thread])],
		[], [enable_sanitizers=no])
	AC_ARG_ENABLE([fuzzing],
		[AS_HELP_STRING([--enable-fuzzing],
			[link the fuzz targets with libFuzzer instead of replaying their seeds (clang)])],
		[], [enable_fuzzing=no])
	AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
	AS_IF([test "x$enable_sanitizers" != xno], [
		SANITIZER_CFLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all"
		SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fno-omit-frame-pointer"
		openrcpt_sanitizer_works=
		OPENRCPT_TRY_FLAG([$SANITIZER_CFLAGS], [CFLAGS], [openrcpt_sanitizer_works],
			[AC_MSG_ERROR([$CC can't build with -fsanitize=$enable_sanitizers])])
	])
	AS_IF([test "x$enable_fuzzing" = xyes], [
		SANITIZER_CFLAGS="$SANITIZER_CFLAGS -fsanitize=fuzzer-no-link"
		openrcpt_fuzzer_works=
		OPENRCPT_TRY_FLAG([-fsanitize=fuzzer-no-link], [CFLAGS], [openrcpt_fuzzer_works],
			[AC_MSG_ERROR([--enable-fuzzing needs clang and its runtime; try CC=clang])])
	])
	AC_SUBST([SANITIZER_CFLAGS])
	AC_SUBST([FUZZ_ENGINE], [-fsanitize=fuzzer])
	AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])

dnl Fortification gets in the way of the sanitizers, which check the same and more. Where a packager's
dnl flags have it already, theirs would be a second definition of the macro, and they choose.
AC_DEFUN([OPENRCPT_HARDENING], [
	HARDENING_CPPFLAGS=
	HARDENING_CFLAGS=
	HARDENING_LDFLAGS=
	HARDENING_MODULE_LDFLAGS=
	AC_ARG_ENABLE([hardening],
		[AS_HELP_STRING([--disable-hardening], [leave out the hardening flags])],
		[], [enable_hardening=yes])
	AS_IF([test "x$enable_hardening" = xyes], [
		AS_IF([test "x$enable_sanitizers$enable_fuzzing" = xnono],
			[AS_CASE(["$CPPFLAGS $CFLAGS"], [*_FORTIFY_SOURCE*], [],
				[OPENRCPT_TRY_FLAG([-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3], [CPPFLAGS],
					[HARDENING_CPPFLAGS],
					[OPENRCPT_TRY_FLAG([-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2],
						[CPPFLAGS], [HARDENING_CPPFLAGS])])])])
		m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection
				-fcf-protection=full -fno-strict-aliasing
				-fno-delete-null-pointer-checks -fPIE],
			[OPENRCPT_TRY_FLAG(flag, [CFLAGS], [HARDENING_CFLAGS])])
		OPENRCPT_TRY_FLAG([-ftrivial-auto-var-init=zero], [CFLAGS], [HARDENING_CFLAGS],
			[OPENRCPT_TRY_FLAG([-ftrivial-auto-var-init=pattern], [CFLAGS],
				[HARDENING_CFLAGS])])
		AS_CASE([$HARDENING_CFLAGS], [*-fPIE*],
			[OPENRCPT_TRY_FLAG([-fPIE -pie], [LDFLAGS], [HARDENING_LDFLAGS])])
		m4_foreach_w([word], [relro now noexecstack nodlopen],
			[OPENRCPT_TRY_FLAG([-Wl,-z,]word, [LDFLAGS], [HARDENING_LDFLAGS])])
		dnl Modules are no executables, and there to be loaded.
		m4_foreach_w([word], [relro now noexecstack],
			[OPENRCPT_TRY_FLAG([-Wl,-z,]word, [LDFLAGS], [HARDENING_MODULE_LDFLAGS])])
		OPENRCPT_TRY_FLAG([-Wl,--as-needed], [LDFLAGS], [HARDENING_LDFLAGS])
	])
	AC_SUBST([HARDENING_CPPFLAGS])
	AC_SUBST([HARDENING_CFLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
	AC_SUBST([HARDENING_MODULE_LDFLAGS])
])
