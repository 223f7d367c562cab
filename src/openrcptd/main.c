/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * openrcptd - the milter that validates and rewrites recipients.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "message/snapshot.h"
#include "openrcptd/master.h"
#include "openrcptd/reexec.h"
#include "openrcptd/takeover.h"
#include "service/given.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/privileges.h"
#include "settings/apart.h"
#include "settings/settings.h"

struct options {
	const char *configuration;
	bool is_check;
	bool is_debug;
	const char *takes_over; /* the version that asks; NULL: nobody does */
};

/* What asked for the check that `rcptmap check-postfix` is now; to be dropped after 0.1. */
enum { OPTION_CHECK_POSTFIX = 256, OPTION_TAKES_OVER };

static const char usage[] = "usage: openrcptd [-df] [-c configuration]\n"
			    "       openrcptd -t [-c configuration]\n"
			    "       openrcptd -V\n";

static const char usage_options[] = "\n"
				    "  -c, --config CONF   read this configuration\n"
				    "  -t, --test          check settings and table, and end\n"
				    "  -f, --foreground    stay in the foreground, as always\n"
				    "  -d, --debug         log each step, to standard error\n"
				    "  -h, --help          show how it is used\n"
				    "  -V, --version       print the version\n";

static const struct option long_options[] = {
	{ "check-postfix", no_argument, NULL, OPTION_CHECK_POSTFIX },
	{ "postconf", required_argument, NULL, OPTION_CHECK_POSTFIX },
	{ "postfix-config", required_argument, NULL, OPTION_CHECK_POSTFIX },
	{ "config", required_argument, NULL, 'c' },
	{ "debug", no_argument, NULL, 'd' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "takes-over", required_argument, NULL, OPTION_TAKES_OVER },
	{ "test", no_argument, NULL, 't' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Descriptors 0 to 2 must be taken: what is opened later would get lines meant for people. */
static bool keep_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

static void print_error(const char *text, void *context)
{
	(void)context;
	(void)fprintf(stderr, "openrcptd: %s\n", text); /* nowhere else to say so */
}

/* False: end with *OUT_STATUS. */
static bool read_options(int count, char **arguments, struct options *options, int *out_status)
{
	int letter;

	*out_status = EX_USAGE;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet */
	while ((letter = getopt_long(count, arguments, "c:dfhtV", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			options->configuration = optarg;
			break;
		case 'd':
			options->is_debug = true;
			break;
		case 'f': /* as always */
			break;
		case 't':
			options->is_check = true;
			break;
		case OPTION_TAKES_OVER: /* of one that runs, see reexec.h */
			options->takes_over = optarg;
			options->is_check = true;
			break;
		case OPTION_CHECK_POSTFIX:
			print_error("--check-postfix is now `rcptmap check-postfix`", NULL);
			return false;
		case 'V':
			*out_status = printf("openrcptd %s\n", OPENRCPT_VERSION) < 0 ||
						      fflush(stdout) != 0
					      ? EX_IOERR
					      : EX_OK;
			return false;
		case 'h':
			*out_status = fputs(usage, stdout) < 0 ||
						      fputs(usage_options, stdout) < 0 ||
						      fflush(stdout) != 0
					      ? EX_IOERR
					      : EX_OK;
			return false;
		default:
			(void)fputs(usage, stderr); /* see print_error() */
			return false;
		}
	}
	if (optind == count)
		return true;
	(void)fprintf(stderr, "openrcptd: unexpected argument: %s\n", arguments[optind]); /* see */
	return false; /* print_error() */
}

/* Report a failed step of check(); *STATUS keeps the first one. */
static void report(bool is_well, const struct error *err, int *status)
{
	if (is_well)
		return;
	print_error(err->text, NULL);
	if (*status == EX_OK)
		*status = err->status;
}

/* Who starts it has to give a socket that is called fd:NAME; here nobody has. */
static bool check_socket(const struct settings *settings, struct error *err)
{
	struct endpoint_address address;
	struct endpoint endpoint;
	int given_fd;

	return (endpoint_parse(settings->socket, &endpoint, NULL) &&
		endpoint.kind == ENDPOINT_FD) ||
	       listen_parse("socket", settings->socket, settings->allow_remote_mta, &address,
			    &given_fd, err);
}

/* Everything that a start would stumble over, without starting; as root, with the eyes of the user
 * whom the daemon would become. */
static int check(const struct settings *settings)
{
	struct identity identity;
	struct snapshot *snapshot;
	struct error err;
	int status = EX_OK;

	report(check_socket(settings, &err), &err, &status);
	if (geteuid() == 0)
		report(privileges_choose(settings->user, &identity, &err) &&
			       privileges_drop(&identity, &err),
		       &err, &status);
	snapshot = snapshot_load(settings, &err);
	report(snapshot != NULL, &err, &status);
	snapshot_free(snapshot);
	return status;
}

static enum log_sink sink_of(const struct settings *settings)
{
	static const enum log_sink sinks[] = {
		[SETTINGS_LOG_SYSLOG] = LOG_SINK_SYSLOG,
		[SETTINGS_LOG_JOURNAL] = LOG_SINK_JOURNAL,
		[SETTINGS_LOG_STDERR] = LOG_SINK_STDERR,
	};

	return sinks[settings->log];
}

/* A reload reads the file again, from another working directory. Links stay: who follows them would
 * look for conf.d elsewhere than rcptmap does. NULL: PATH is as good as it can be. */
static char *absolute(const char *path)
{
	/* -c has an argument, which no analyser can know. */
	bool is_relative = path != NULL && path[0] != '/';
	char *folder = is_relative ? getcwd(NULL, 0) : NULL;
	char *full_path = NULL;

	if (folder != NULL && asprintf(&full_path, "%s/%s", folder, path) < 0)
		full_path = NULL;
	free(folder);
	return full_path;
}

/* The settings of the file; where there is something to be taken over, and the file isn't well any
 * more, those of before. */
static struct settings *read_settings(const char *path, struct takeover *takeover,
				      struct error *err)
{
	char *full_path = takeover != NULL ? NULL : absolute(path);
	struct settings *settings;

	if (full_path != NULL)
		path = full_path;
	if (takeover != NULL)
		path = takeover_file(takeover);
	settings = settings_load_apart(path, print_error, NULL, err);
	free(full_path);
	if (settings == NULL && takeover != NULL)
		settings = takeover_take_settings(takeover);
	return settings;
}

static void open_log(const struct settings *settings, bool is_debug)
{
	log_open(is_debug ? LOG_SINK_STDERR : sink_of(settings), settings->syslog_ident);
	if (is_debug)
		log_enable_debug();
}

static int run(const struct options *options)
{
	struct error err;
	struct takeover *takeover = options->is_check ? NULL : takeover_open(&err);
	struct settings *settings;
	int status;

	if (takeover == NULL && !options->is_check && err.status != EX_OK) {
		print_error(err.text, NULL);
		return err.status;
	}
	settings = read_settings(options->configuration, takeover, &err);
	if (settings == NULL)
		return err.status;
	if (options->is_check) {
		status = check(settings);
		settings_free(settings);
		return status;
	}
	open_log(settings, options->is_debug);
	status = master_run(settings, takeover);
	takeover_free(takeover);
	return status;
}

/* They would end a daemon that has no handlers yet: so they wait for the master, who asks for them
 * each time that it waits. */
static void put_off_orders(void)
{
	sigset_t orders;

	(void)sigemptyset(&orders); /* can't fail, as the rest here: the numbers are sound */
	(void)sigaddset(&orders, SIGHUP);
	(void)sigaddset(&orders, SIGUSR1);
	(void)sigaddset(&orders, SIGUSR2);
	(void)pthread_sigmask(SIG_BLOCK, &orders, NULL);
}

int main(int count, char **arguments)
{
	struct options options = { .configuration = SETTINGS_DEFAULT_FILE };
	int status;

	put_off_orders();
	reexec_init(arguments);
	given_init();
	if (!keep_standard_descriptors())
		return EX_OSERR;
	if (!read_options(count, arguments, &options, &status))
		return status;
	if (options.takes_over != NULL && strcmp(options.takes_over, REEXEC_VERSION) != 0) {
		print_error("the new program can't take over from this version: restart it", NULL);
		return EX_PROTOCOL;
	}
	return run(&options);
}
