#!/bin/sh
# What a program can do is what it links. Each row: a program and the libraries it must not have.
# The data plane faces the Internet: no parser of text, no database, no keys.
set -u
status=0
checked=0

forbid() {
	program=$SIGNPOST_BUILD/$1
	shift
	if [ ! -x "$program" ]; then
		echo "$program: not built"
		status=1
		return
	fi
	linked=$(ldd "$program") || {
		echo "$program: ldd failed"
		status=1
		return
	}
	for library in "$@"; do
		checked=$((checked + 1))
		if printf '%s\n' "$linked" | grep -q "^[[:space:]]*$library\\.so"; then
			echo "$program links $library"
			status=1
		fi
	done
}

forbid signpost-dns libldns libsqlite3 libmaxminddb libfyaml libcrypto libssl libjansson libcurl \
	libmicrohttpd
forbid signpostd libldns libsqlite3 libmaxminddb libfyaml libcrypto libssl libjansson libev \
	liburcu-qsbr libcurl libsodium
forbid signpost-control libldns libmaxminddb libfyaml
# libldns brings libcrypto and libssl along.
forbid signpost-compile libev libsqlite3 liburcu-qsbr libsodium libcurl
forbid signpost-run libldns libsqlite3 libmaxminddb libfyaml libcrypto libssl libjansson libev \
	liburcu-qsbr libcurl libsodium libcap-ng
forbid signpostctl libldns libmaxminddb libfyaml libsqlite3 libcrypto libssl libcurl
echo "$checked pairs of program and library checked"
exit $status
