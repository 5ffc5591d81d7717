#include "compile/beside.h"

static void *run(void *context)
{
	const struct beside *beside = context;

	beside->work(beside->context);
	return NULL;
}

void beside_start(struct beside *beside, beside_work *work, void *context)
{
	(void)beside_try(beside, work, context);
}

bool beside_try(struct beside *beside, beside_work *work, void *context)
{
	*beside = (struct beside){ .work = work, .context = context };
	beside->is_apart = pthread_create(&beside->thread, NULL, run, beside) == 0;
	return beside->is_apart;
}

void beside_wait(struct beside *beside)
{
	if (beside->is_apart)
		(void)pthread_join(beside->thread, NULL);
	else
		beside->work(beside->context);
}
