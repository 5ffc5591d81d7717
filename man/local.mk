# What operators read; tests/system/test_documents.py holds it against the programs.
dist_man_MANS += \
	%D%/signpost.yaml.5 %D%/signpost-pool.5 %D%/signpost-probe.5 %D%/signpost-load.5 \
	%D%/signpost-zones.5 \
	%D%/signpostctl.1 \
	%D%/signpostd.8 %D%/signpost-dns.8 %D%/signpost-compile.8 \
	%D%/signpost-run.8
