EXTRA_DIST += %D%/hooks/README.md %D%/hooks/openvpn-drain %D%/hooks/strongswan-drain %D%/hooks/wireguard-drain
EXTRA_DIST += %D%/demo-node %D%/exporters/wireguard-textfile

# systemd looks into these folders below /usr and below /usr/local.
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = %D%/systemd/signpost.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %D%/systemd/sysusers.d/signpost.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = %D%/systemd/tmpfiles.d/signpost.conf

EXTRA_DIST += %D%/systemd/signpost.service.in
CLEANFILES += %D%/systemd/signpost.service
%D%/systemd/signpost.service: %D%/systemd/signpost.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D%/systemd && \
	sed -e 's|@sbindir[@]|$(sbindir)|; s|@sysconfdir[@]|$(sysconfdir)|' \
		'$(srcdir)/%D%/systemd/signpost.service.in' >$@.new && mv $@.new $@
