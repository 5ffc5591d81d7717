EXTRA_DIST += %D%/hooks/README.md %D%/hooks/openvpn-drain %D%/hooks/strongswan-drain %D%/hooks/wireguard-drain
EXTRA_DIST += %D%/demo-node %D%/exporters/wireguard-textfile

# systemd looks into these folders below /usr and below /usr/local.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = %D%/systemd/sysusers.d/signpost.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = %D%/systemd/tmpfiles.d/signpost.conf

# The unit names folders, and those are known for good when they are installed into: nothing in the
# build folder is what somebody's prefix made of it.
EXTRA_DIST += %D%/systemd/signpost.service.in
install-data-local: install-systemd-unit
install-systemd-unit:
	$(MKDIR_P) '$(DESTDIR)$(systemdunitdir)'
	sed -e 's|@sbindir[@]|$(sbindir)|; s|@sysconfdir[@]|$(sysconfdir)|' \
		'$(srcdir)/%D%/systemd/signpost.service.in' >'$(DESTDIR)$(systemdunitdir)/signpost.service.new'
	chmod 644 '$(DESTDIR)$(systemdunitdir)/signpost.service.new'
	mv '$(DESTDIR)$(systemdunitdir)/signpost.service.new' '$(DESTDIR)$(systemdunitdir)/signpost.service'
uninstall-local: uninstall-systemd-unit
uninstall-systemd-unit:
	rm -f '$(DESTDIR)$(systemdunitdir)/signpost.service'
.PHONY: install-systemd-unit uninstall-systemd-unit
