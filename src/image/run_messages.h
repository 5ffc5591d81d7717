/* run_messages.h - what control and signpost-run say to each other over a channel (base/channel.h).
 *
 * The helper is started with its end of the channel as descriptor RUN_FD; when the channel ends, it
 * kills what it runs and ends.
 *
 *   control -> run   struct run_request: START, then its words, then its variables, each with a NUL
 *                                        STOP: kill that command
 *                                        PING: say something
 *   run -> control   struct run_result, then the octets of its output and of its error output
 *
 * Each START is answered with exactly one result, a command that was stopped, too; by then nothing
 * that it started in its process group is alive. So is each PING, with a result RUN_PONG. */
#ifndef IMAGE_RUN_MESSAGES_H
#define IMAGE_RUN_MESSAGES_H

#include <stdint.h>

#define RUN_FD    3
#define RUN_MAGIC 0x4e525053 /* "SPRN" */

#define RUN_COMMANDS_MAX  64 /* at a time */
#define RUN_WORDS_MAX     64
#define RUN_VARIABLES_MAX 32
#define RUN_TEXT_MAX      16384      /* octets of words and variables */
#define RUN_OUTPUT_MAX    4096       /* octets of output that are handed over */
#define RUN_ERRORS_MAX    1024       /* octets of error output */
#define RUN_FLOOD_MAX     (1U << 20) /* a command that writes more is killed */

enum run_ask { RUN_START = 1, RUN_STOP, RUN_PING };

struct run_request {
	uint32_t magic, ask;
	uint64_t id;
	uint32_t timeout_ms;
	uint32_t words, variables; /* the first word is the path of the program */
	uint32_t text_len;
};

enum run_end {
	RUN_EXITED = 1,  /* status: the exit status */
	RUN_SIGNALLED,   /* status: the signal */
	RUN_TIMEOUT,     /* killed */
	RUN_FLOOD,       /* killed */
	RUN_STOPPED,     /* killed: it was asked for */
	RUN_NOT_STARTED, /* status: errno */
	RUN_LOST,        /* never sent: the helper died meanwhile */
	RUN_PONG,        /* of no command */
};

struct run_result {
	uint32_t magic, end; /* enum run_end */
	uint64_t id;
	uint64_t took_us;
	int32_t status;
	uint32_t output_len, errors_len;
	uint32_t reserved;
};

#define RUN_REQUEST_MAX (sizeof(struct run_request) + RUN_TEXT_MAX)
#define RUN_RESULT_MAX  (sizeof(struct run_result) + RUN_OUTPUT_MAX + RUN_ERRORS_MAX)

#endif
