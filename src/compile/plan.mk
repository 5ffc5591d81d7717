# the plan image
