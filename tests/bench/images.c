/* images.c - bench-images: the images of a configuration, without a server around them.
 *
 *   bench-images make SERVER_FILE FOLDER   compiles them, all nodes up, into FOLDER/zones.image ...
 *   bench-images sizes FOLDER              what is in them, and how many octets each part has
 *   bench-images ask FOLDER QUERIES [-c COUNT] [-r ROUNDS] [-t THREADS] [-b BATCH] [-k]
 *                                          answers queries as the data plane does, and says what
 *                                          CPU time each took; -k: see images_detour.c
 *
 * The last two print one JSON object. Instructions of the path of a query:
 *   valgrind --tool=callgrind --toggle-collect=batch_answer bench-images ask ... */
#include "tests/bench/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/other_files.h"
#include "steer/steer.h"

_Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench-images: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static char *path_of(const char *folder, enum image_kind kind)
{
	return mem_format("%s/%s.image", folder, image_name[kind]);
}

/* --- making ----------------------------------------------------------------------------------- */

/* Steering with every node up, as after a start with nothing known against anyone. */
static void steer_all_up(const struct image images[IMAGE_KINDS], const char *path)
{
	const struct image *plan = &images[IMAGE_PLAN];
	const struct plan_node *planned = plan_items(plan, nodes, struct plan_node);
	struct steer_node *nodes = mem_array(plan_count(plan, nodes), sizeof(*nodes));
	struct steer_input input = { .nodes = nodes, .now_unix_s = (uint64_t)time(NULL) };
	struct steer *steer = NULL;
	struct err err;
	int fd = -1;

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		nodes[n] = (struct steer_node){ .state = STEER_UP,
						.families = STEER_FAMILIES,
						.level = STEER_ALL,
						.weight = planned[n].weight };
	if (steer_open(&steer, &images[IMAGE_ZONES], &images[IMAGE_GEO], plan, &err) != 0 ||
	    steer_compile(steer, &input, &fd, &err) != 0 || image_save(fd, path, &err) != 0)
		die("steering", err.text);
	(void)close(fd);
	steer_close(steer);
	free(nodes);
}

static void write_file(const char *path, const struct image *image)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(image->base, 1, image->size, file) != image->size ||
	    fclose(file) != 0)
		die(path, strerror(errno));
}

static void make(const char *server_file, const char *folder)
{
	struct image images[IMAGE_KINDS];
	struct err err;

	if (other_files_compile(server_file, NULL, images, &err) != 0)
		die(server_file, err.text);
	for (unsigned kind = 0; kind < IMAGE_KINDS; kind++) {
		char *path = path_of(folder, (enum image_kind)kind);

		if (kind == IMAGE_STEERING)
			steer_all_up(images, path);
		else
			write_file(path, &images[kind]);
		free(path);
	}
	for (unsigned kind = 0; kind < IMAGE_KINDS; kind++)
		image_close(&images[kind]);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* As sealed memory, as the data plane has it. The descriptor is the caller's. */
static int load(const char *folder, enum image_kind kind)
{
	char *path = path_of(folder, kind);
	struct err err;
	int fd = -1;

	if (image_load(path, &fd, &err) != 0)
		die(path, err.text);
	free(path);
	return fd;
}

static void sizes(const char *folder)
{
	struct image images[IMAGE_KINDS];
	struct err err;

	for (unsigned kind = 0; kind < IMAGE_KINDS; kind++) {
		int fd = load(folder, (enum image_kind)kind);

		if (image_open(&images[kind], fd, (enum image_kind)kind, &err) != 0)
			die(image_name[kind], err.text);
		(void)close(fd);
	}
	images_print_sizes(images);
	for (unsigned kind = 0; kind < IMAGE_KINDS; kind++)
		image_close(&images[kind]);
}

static void ask(const char *folder, const struct ask_options *options)
{
	int zones = load(folder, IMAGE_ZONES), geo = load(folder, IMAGE_GEO);
	int steering = load(folder, IMAGE_STEERING);
	struct world world;
	struct err err;

	if (world_open(&world, zones, geo, steering, &err) != 0)
		die(folder, err.text);
	images_ask(&world, options);
	world_close(&world);
	(void)close(zones);
	(void)close(geo);
	(void)close(steering);
}

/* --- arguments -------------------------------------------------------------------------------- */

static _Noreturn void usage(void)
{
	(void)fprintf(
		stderr,
		"usage: bench-images make SERVER_FILE FOLDER\n"
		"       bench-images sizes FOLDER\n"
		"       bench-images ask FOLDER QUERIES [-c COUNT] [-r ROUNDS] [-t THREADS] [-b BATCH] [-k]\n"
		"-k: through the kernel between batches, and only answering is timed\n");
	exit(2);
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value == 0 || value > max)
		usage();
	return value;
}

static void read_options(struct ask_options *options, int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "b:c:r:t:k")) != -1) {
		switch (letter) {
		case 'c': options->count = number(optarg, 1000000000); break;
		case 'r': options->rounds = (unsigned)number(optarg, 1000); break;
		case 't': options->threads = (unsigned)number(optarg, 64); break;
		case 'b': options->batch = (unsigned)number(optarg, BATCH_MAX); break;
		case 'k': options->detour = true; break;
		default: usage();
		}
	}
	if (optind != argc)
		usage();
}

int main(int argc, char **argv)
{
	struct ask_options options = { .rounds = 1, .threads = 1, .batch = BATCH_MAX };

	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		make(argv[2], argv[3]);
	} else if (argc == 3 && strcmp(argv[1], "sizes") == 0) {
		sizes(argv[2]);
	} else if (argc >= 4 && strcmp(argv[1], "ask") == 0) {
		options.queries = argv[3];
		read_options(&options, argc - 3, argv + 3);
		ask(argv[2], &options);
	} else {
		usage();
	}
	return EXIT_SUCCESS;
}
