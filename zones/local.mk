# The sample, which is served from the source tree (./bootstrap run).
EXTRA_DIST += %D%/signpost.yaml %D%/example.net.zone %D%/edge.pool.yaml

# Worked examples, to be copied to the folder of the server file. In the source tree they name the
# country database there, installed the one that is installed.
EXAMPLES = \
	%D%/examples/README.md \
	%D%/examples/nearest-with-spill/signpost.yaml \
	%D%/examples/nearest-with-spill/zones/example.net.zone \
	%D%/examples/nearest-with-spill/zones/edge.pool.yaml \
	%D%/examples/follow-load/signpost.yaml \
	%D%/examples/follow-load/zones/example.net.zone \
	%D%/examples/follow-load/zones/edge.pool.yaml \
	%D%/examples/far-spare/signpost.yaml \
	%D%/examples/far-spare/zones/example.net.zone \
	%D%/examples/far-spare/zones/edge.pool.yaml \
	%D%/examples/canary/signpost.yaml \
	%D%/examples/canary/zones/example.net.zone \
	%D%/examples/canary/zones/edge.pool.yaml \
	%D%/examples/maintenance/signpost.yaml \
	%D%/examples/maintenance/zones/example.net.zone \
	%D%/examples/maintenance/zones/edge.pool.yaml \
	%D%/examples/openvpn-wildcard/signpost.yaml \
	%D%/examples/openvpn-wildcard/zones/example.net.zone \
	%D%/examples/openvpn-wildcard/zones/openvpn.pool.yaml \
	%D%/examples/wireguard/signpost.yaml \
	%D%/examples/wireguard/zones/example.net.zone \
	%D%/examples/wireguard/zones/wireguard.pool.yaml \
	%D%/examples/vpn-health/signpost.yaml \
	%D%/examples/vpn-health/hooks/tell \
	%D%/examples/vpn-health/keys/throw-away-monitor.key \
	%D%/examples/vpn-health/zones/example.net.zone \
	%D%/examples/vpn-health/zones/vpn.pool.yaml \
	%D%/examples/geofence/signpost.yaml \
	%D%/examples/geofence/zones/example.net.zone \
	%D%/examples/geofence/zones/edge.pool.yaml \
	%D%/examples/geofence/zones/decoy.pool.yaml \
	%D%/examples/geofence/zones/avoid.txt \
	%D%/examples/nearest/signpost.yaml \
	%D%/examples/nearest/zones/example.net.zone \
	%D%/examples/nearest/zones/edge.pool.yaml \
	%D%/examples/active-active/signpost.yaml \
	%D%/examples/active-active/zones/example.net.zone \
	%D%/examples/active-active/zones/edge.pool.yaml \
	%D%/examples/active-passive/signpost.yaml \
	%D%/examples/active-passive/zones/example.net.zone \
	%D%/examples/active-passive/zones/edge.pool.yaml \
	%D%/examples/probes-and-rules/signpost.yaml \
	%D%/examples/probes-and-rules/zones/example.net.zone \
	%D%/examples/probes-and-rules/zones/edge.pool.yaml \
	%D%/examples/services/signpost.yaml \
	%D%/examples/services/zones/example.net.zone \
	%D%/examples/services/zones/edge.pool.yaml
EXTRA_DIST += $(EXAMPLES)

install-data-local:
	@for file in $(EXAMPLES); do \
		to="$(DESTDIR)$(docdir)/$${file#zones/}"; \
		echo " sed 's|../../../geoip|$(geoipdir)|' $$file >$$to"; \
		$(MKDIR_P) "$${to%/*}" && \
		sed 's|\.\./\.\./\.\./geoip|$(geoipdir)|' "$(srcdir)/$$file" >"$$to" && \
		case $$file in \
		*/hooks/*) chmod 755 "$$to" ;; \
		*.key) chmod 600 "$$to" ;; \
		*) chmod 644 "$$to" ;; \
		esac || exit 1; \
	done
uninstall-local:
	rm -rf "$(DESTDIR)$(docdir)/examples"
