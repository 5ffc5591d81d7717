/* One mistake a row: what is written, where it is found, which text is underlined. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_test.h"
#include "fixture.h"

struct row {
	const char *text;
	const char *says;       /* after the file's name: "line:column: error: text" */
	const char *underlined; /* NULL: the row shows no source */
};

#define SITES "sites: { tokyo: { location: [35.68, 139.69] } }\n"
#define ZONES "zones: zones\n"
#define KEY   "GAq1XINRM9xZBcVlB1YbfqjdzWQ7CrtKXPHmwKuAFXE="

static const struct row server_rows[] = {
	/* YAML */
	{ "", " error: is empty", NULL },
	{ "# only a comment\n", " error: is empty", NULL },
	{ "just a text\n", "1:1: error: this is no map of options, such as \"name: value\"",
	  "just a text" },
	{ "~\n", " error: is empty", NULL },
	{ "%YAML 1.2\n---\n" ZONES SITES,
	  "1:1: error: a line that begins with % is a directive of YAML: there are none here",
	  "%" },
	{ "- a\n", "1:1: error: this is no map of options, such as \"name: value\"", "-" },
	{ ZONES "sites: [\n", "3:1: error: flow sequence without a closing bracket", "" },
	{ "zones: zones\n  ecs: true\n" SITES,
	  "1:8: error: invalid multiline plain key (is the next line indented too far?)", "zones" },
	{ ZONES "log: \"info\n", "2:7: error: double-quoted scalar without closing quote", "info" },
	{ ZONES "user: a: b\n" SITES,
	  "2:8: error: invalid nested block mapping on the same line (a value with \": \" in it "
	  "belongs in quotes)",
	  ":" },
	{ ZONES SITES "---\n" ZONES,
	  "3:1: error: a second document begins here: one file, one document", "---" },
	{ ZONES "user: &me root\n" SITES,
	  "2:8: error: anchors are not supported in configuration files", "me" },
	{ ZONES "user: *me\n" SITES, "2:8: error: aliases are not supported in configuration files",
	  "me" },
	{ ZONES "user: !!str me\n" SITES,
	  "2:7: error: tags are not supported in configuration files", "!!str" },
	{ ZONES "? [a]\n: b\n" SITES, "2:3: error: a key must be a name", "[" },
	{ ZONES "user: \"a\\0b\"\n" SITES, "2:8: error: a value must not contain a NUL character",
	  "a\\0b" },
	{ ZONES "user: \x01\n" SITES,
	  "2:7: error: octet 0x01 has no place in UTF-8 text: this is not a text file", "?" },
	{ ZONES "user: \xc0\xaf\n" SITES,
	  "2:7: error: octet 0xc0 has no place in UTF-8 text: this is not a text file", "?" },
	/* options */
	{ SITES, "1:1: error: the required option \"zones\" is missing", "s" },
	{ ZONES, "1:1: error: the required option \"sites\" is missing", "z" },
	{ ZONES SITES "listn: x\n",
	  "3:1: error: unknown option \"listn\" (did you mean \"listen\"?)", "listn" },
	{ ZONES SITES "wireguard: x\n", "3:1: error: unknown option \"wireguard\"", "wireguard" },
	{ ZONES SITES "zones: b\n", "3:1: error: \"zones\" is already given in line 1", "zones" },
	{ ZONES SITES "user:\n", "3:1: error: \"user\" has no value", "user" },
	{ ZONES SITES "user: ~\n", "3:1: error: \"user\" has no value", "user" },
	{ ZONES SITES "user: [a]\n", "3:7: error: a list stands where the name of a user belongs",
	  "[" },
	{ ZONES SITES "user: a/b\n",
	  "3:7: error: \"a/b\" is not the name of a user: 1 to 32 of a-z, A-Z, 0-9, \"_\", \"-\" "
	  "and \".\"",
	  "a/b" },
	{ ZONES SITES "state: \"\"\n", "3:9: error: the path is empty", "\"" },
	{ ZONES SITES "run: ''\n", "3:7: error: the path is empty", "'" },
	{ ZONES SITES "log: info\n",
	  "3:6: error: \"info\" is not a map of options (level or target)", "info" },
	{ ZONES SITES "state: { a: b }\n", "3:8: error: a map stands where a path belongs", "{" },
	{ ZONES SITES "ecs: yes\n", "3:6: error: \"yes\" is not true or false", "yes" },
	{ ZONES SITES "ecs: TRUE\n",
	  "3:6: error: \"TRUE\" is not true or false (did you mean \"true\"?)", "TRUE" },
	{ ZONES SITES "udp-size: 511\n", "3:11: error: 511 is out of range: 512 to 4096 octets",
	  "511" },
	{ ZONES SITES "udp-size: 4097\n", "3:11: error: 4097 is out of range: 512 to 4096 octets",
	  "4097" },
	{ ZONES SITES "udp-size: 1232.0\n",
	  "3:11: error: \"1232.0\" is not a whole number from 512 to 4096 octets", "1232.0" },
	{ ZONES SITES "udp-size: 99999999999999999999999\n",
	  "3:11: error: 99999999999999999999999 is out of range: 512 to 4096 octets",
	  "99999999999999999999999" },
	{ ZONES SITES "amplification: 1\n",
	  "3:16: error: 1 is out of range: off or 2 to 100 times the query's length", "1" },
	{ ZONES SITES "amplification: none\n",
	  "3:16: error: \"none\" is not off or a whole number from 2 to 100 times the query's "
	  "length",
	  "none" },
	{ ZONES SITES "version: \"\"\n", "3:11: error: the text is empty: \"off\" says nothing",
	  "\"" },
	{ ZONES SITES "identity: [a]\n",
	  "3:11: error: a list stands where text, auto or off belongs", "[" },
	{ ZONES SITES "nsid: 0x123\n",
	  "3:7: error: \"0x123\" is not an even number of hexadecimal digits, 2 to 510", "0x123" },
	{ ZONES SITES "nsid: 0xzz\n",
	  "3:7: error: \"0xzz\" is not an even number of hexadecimal digits, 2 to 510", "0xzz" },
	{ ZONES SITES "doubt: { references: router.example.net }\n",
	  "3:22: error: \"router.example.net\" is not an address that can be asked, such as "
	  "192.0.2.1, 192.0.2.1:53 or \"[2001:db8::1]:53\"",
	  "router.example.net" },
	{ ZONES SITES "doubt: { share: 0% }\n", "3:17: error: 0% is out of range: 1% to 100%",
	  "0%" },
	{ ZONES SITES "tcp: { idle: 50ms }\n",
	  "3:14: error: 50ms is out of range: 100ms to 1h, in steps of 100ms", "50ms" },
	{ ZONES SITES "tcp: { lifetime: 2d }\n",
	  "3:18: error: 2d is out of range: 1s to 1d, in steps of 1s", "2d" },
	{ ZONES SITES "tcp: { connections: 10001 }\n",
	  "3:21: error: 10001 is out of range: 1 to 10000 connections", "10001" },
	{ ZONES SITES "workers: 0\n", "3:10: error: 0 is out of range: auto or 1 to 128 threads",
	  "0" },
	{ ZONES SITES "workers: many\n",
	  "3:10: error: \"many\" is not auto or a whole number from 1 to 128 threads", "many" },
	{ ZONES SITES "history: 90\n",
	  "3:10: error: \"90\" is not a duration such as 200ms, 5s, 1m, 12h or 90d, from 1d to "
	  "36500d: it has no unit",
	  "90" },
	{ ZONES SITES "history: 36h\n",
	  "3:10: error: 36h is out of range: 1d to 36500d, in steps of 1d", "36h" },
	{ ZONES SITES "preference-depth: 17\n", "3:19: error: 17 is out of range: 1 to 16 sites",
	  "17" },
	{ ZONES SITES "log: { level: loud }\n",
	  "3:15: error: \"loud\" is not error, warning, info or debug", "loud" },
	{ ZONES SITES "log:\n  target: sysloq\n",
	  "4:11: error: \"sysloq\" is not stderr or syslog (did you mean \"syslog\"?)", "sysloq" },
	{ ZONES SITES "listen: [192.0.2.1, 192.0.2.1:53]\n",
	  "3:21: error: 192.0.2.1:53 is listed twice", "192.0.2.1:53" },
	{ ZONES SITES "listen: localhost:53\n",
	  "3:9: error: \"localhost:53\" is not an address to listen on, such as 192.0.2.1:53 or "
	  "\"[2001:db8::1]:53\"",
	  "localhost:53" },
	{ ZONES SITES "listen: 192.0.2.1:65536\n",
	  "3:9: error: \"192.0.2.1:65536\" is not an address to listen on, such as 192.0.2.1:53 or "
	  "\"[2001:db8::1]:53\"",
	  "192.0.2.1:65536" },
	{ ZONES SITES "listen: []\n",
	  "3:9: error: an empty list stands where an address or a list of addresses belongs", "[" },
	{ ZONES SITES "geoip: { databases: a.mmdb }\n",
	  "3:21: error: \"a.mmdb\" is not a list of databases", "a.mmdb" },
	{ ZONES SITES "geoip: { databases: [ { path: a, fields: { contry: a } } ] }\n",
	  "3:44: error: unknown option \"contry\" (did you mean \"country\"?)", "contry" },
	/* sites */
	{ ZONES "sites: {}\n", "2:8: error: there are no sites", "{" },
	{ ZONES "sites: [tokyo]\n", "2:8: error: a list stands where a map of sites belongs", "[" },
	{ ZONES "sites:\n  tokyo: {}\n", "3:3: error: the required option \"location\" is missing",
	  "tokyo" },
	{ ZONES "sites:\n  tokyo: { location: [91, 0] }\n",
	  "3:23: error: 91 is out of range: a latitude is from -90 to 90", "91" },
	{ ZONES "sites:\n  tokyo: { location: [0, -180.5] }\n",
	  "3:26: error: -180.5 is out of range: a longitude is from -180 to 180", "-180.5" },
	{ ZONES "sites:\n  tokyo: { location: [nan, 0] }\n",
	  "3:23: error: \"nan\" is not a latitude in degrees", "nan" },
	{ ZONES "sites:\n  tokyo: { location: 35.68 }\n",
	  "3:22: error: \"35.68\" is no place: a location is [latitude, longitude] in degrees, or "
	  "a country (JP), an IATA code (FRA) or a UN/LOCODE (DE FRA)",
	  "35.68" },
	{ ZONES "sites:\n  tokyo: { location: [1, 2] }\n  Oslo: { location: [1, 2] }\n",
	  "4:3: error: \"Oslo\" is no name for a site: 1 to 63 of a-z, 0-9 and \"-\"", "Oslo" },
	{ ZONES "sites:\n  tokyo: { location: [1, 2] }\n  tokyo: { location: [1, 2] }\n",
	  "4:3: error: site \"tokyo\" is already defined in line 3", "tokyo" },
	{ ZONES "sites:\n  tokyo: { location: [1, 2], bias: 1.5 }\n",
	  "3:36: error: \"1.5\" is not a whole number from -99% to 99%", "1.5" },
	/* defaults */
	{ ZONES SITES "defaults: on\n", "3:11: error: \"on\" is not a map of options", "on" },
	{ ZONES SITES "defaults: { policy: far }\n",
	  "3:21: error: \"far\" is not nearest, weighted, failover or round-robin", "far" },
	{ ZONES SITES "defaults: { backup: edge }\n", "3:13: error: unknown option \"backup\"",
	  "backup" },
	{ ZONES SITES "defaults: { wieght: 1 }\n",
	  "3:13: error: unknown option \"wieght\" (did you mean \"weight\"?)", "wieght" },
	{ ZONES SITES "defaults: { spare: 1 }\n",
	  "3:20: error: spare 1 leaves nothing of answers 1: it must be less", "1" },
	{ ZONES SITES "defaults: { ttl: { floor: 2h, ceiling: 1h } }\n",
	  "3:40: error: ceiling 1h is below floor 2h", "1h" },
	{ ZONES SITES "defaults: { probes: [ { kind: tcp } ] }\n",
	  "3:31: error: a tcp probe needs a \"port\"", "tcp" },
	{ ZONES SITES "defaults: { weight: 65536 }\n",
	  "3:21: error: 65536 is out of range: 0 to 65535", "65536" },
	/* hooks */
	{ ZONES SITES "hooks: { on: up }\n",
	  "3:8: error: a map stands where a list of hooks belongs", "{" },
	{ ZONES SITES "hooks: [ up ]\n", "3:10: error: \"up\" is not a map of options", "up" },
	{ ZONES SITES "hooks: [ { command: /bin/true } ]\n",
	  "3:10: error: the required option \"on\" is missing", "{" },
	{ ZONES SITES "hooks: [ { on: up } ]\n",
	  "3:10: error: a hook needs a \"command\" or a \"url\"", "{" },
	{ ZONES SITES "hooks: [ { on: [up, dwn], command: /bin/true } ]\n",
	  "3:21: error: \"dwn\" is not unknown, up, ramping, degraded, draining, down, "
	  "forced, disabled, alarm, alarm-end, fallback or fallback-end (did you mean "
	  "\"down\"?)",
	  "dwn" },
	{ ZONES SITES "hooks: [ { on: [], command: /bin/true } ]\n",
	  "3:16: error: an empty list stands where an event or a list of events belongs", "[" },
	{ ZONES SITES "hooks: [ { on: up, command: [] } ]\n",
	  "3:29: error: an empty list stands where the path of a program, or a list of it "
	  "and its arguments belongs",
	  "[" },
	{ ZONES SITES "hooks: [ { on: up, url: 'ftp://192.0.2.1/' } ]\n",
	  "3:26: error: \"ftp://192.0.2.1/\" begins with neither http:// nor https://",
	  "ftp://192.0.2.1/" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://' } ]\n",
	  "3:26: error: \"http://\" has no host", "http://" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://u@192.0.2.1/' } ]\n",
	  "3:26: error: a URL has at most 1024 octets, and neither blanks nor \"@\"",
	  "http://u@192.0.2.1/" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://pager.example/' } ]\n",
	  "3:26: error: names are not looked up: say where pager.example is with \"address\"",
	  "http://pager.example/" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://192.0.2.1/', address: 192.0.2.2 } ]\n",
	  "3:46: error: the host of the URL is an address already", "address" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://pager.example/', address: pager } ]\n",
	  "3:59: error: \"pager\" is neither an IPv4 nor an IPv6 address", "pager" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, address: 192.0.2.2 } ]\n",
	  "3:40: error: \"address\" means nothing without \"url\"", "address" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, rate: 10 } ]\n",
	  "3:46: error: \"10\" is not a rate such as 10/m: 1 to 1000 a second (/s), a "
	  "minute (/m) or an hour (/h)",
	  "10" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, rate: 0/s } ]\n",
	  "3:46: error: \"0/s\" is not a rate such as 10/m: 1 to 1000 a second (/s), a "
	  "minute (/m) or an hour (/h)",
	  "0/s" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, rate: 1001/s } ]\n",
	  "3:46: error: \"1001/s\" is not a rate such as 10/m: 1 to 1000 a second (/s), a "
	  "minute (/m) or an hour (/h)",
	  "1001/s" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, timeout: 11m } ]\n",
	  "3:49: error: 11m is out of range: 100ms to 10m, in steps of 1ms", "11m" },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://192.0.2.1/', attempts: 11 } ]\n",
	  "3:56: error: 11 is out of range: 1 to 10 attempts", "11" },
	{ ZONES SITES "hooks: [ { on: up, command: /bin/true, attempts: 2 } ]\n",
	  "3:40: error: \"attempts\" means nothing without \"url\"", "attempts" },
	/* folders */
	{ "zones: nowhere\n" SITES,
	  "1:8: error: folder \"nowhere\" cannot be read: No such file or directory", "nowhere" },
	{ "zones: zones/sub\n" SITES, "1:8: error: there are no *.zone files in \"zones/sub\"",
	  "zones/sub" },
	/* the line is in UTF-8, the column counts octets */
	{ ZONES "user: a # \xc3\xa9\n" SITES "run: \"/\xc3\xa9\xc3\xa9\"\nf\xc3\xb6o: \xc3\xa9\n",
	  "5:1: error: unknown option \"f\xc3\xb6o\"", "f\xc3\xb6o" },
};

#define POOL  "pool: edge\n"
#define NODES "sites: { tokyo: { nodes: { tyo-1: { address: 203.0.113.10 } } } }\n"
#define TCP   "probes: [ { kind: tcp, port: 80 } ]\n"

static const struct row pool_rows[] = {
	{ NODES, "1:1: error: the required option \"pool\" is missing", "s" },
	{ POOL, "1:1: error: the required option \"sites\" is missing", "p" },
	{ "pool: Edge_1\n" NODES,
	  "1:7: error: \"Edge_1\" is no name for a pool: 1 to 63 of a-z, 0-9 and \"-\"", "Edge_1" },
	{ POOL "policy: neerest\n" NODES,
	  "2:9: error: \"neerest\" is not nearest, weighted, failover or round-robin "
	  "(did you mean \"nearest\"?)",
	  "neerest" },
	{ POOL "answer: 1\n" NODES,
	  "2:1: error: unknown option \"answer\" (did you mean \"answers\"?)", "answer" },
	/* steering */
	{ POOL "own-networks: near\n" NODES,
	  "2:15: error: \"near\" is not nearest, weighted, failover or round-robin", "near" },
	{ POOL "band: 5%\n" NODES, "2:7: error: \"5%\" is not a map of options (percent or km)",
	  "5%" },
	{ POOL "band: { percent: 101% }\n" NODES, "2:18: error: 101% is out of range: 0% to 100%",
	  "101%" },
	{ POOL "band: { km: 20001 }\n" NODES, "2:13: error: 20001 is out of range: 0km to 20000km",
	  "20001" },
	{ POOL "band: { km: 5% }\n" NODES,
	  "2:13: error: \"5%\" is not a whole number from 0km to 20000km", "5%" },
	{ POOL "band: { miles: 5 }\n" NODES, "2:9: error: unknown option \"miles\"", "miles" },
	{ POOL "answers: 0\n" NODES, "2:10: error: 0 is out of range: 1 to 16 nodes", "0" },
	{ POOL "answers: 17\nspare: 3\n" NODES, "2:10: error: 17 is out of range: 1 to 16 nodes",
	  "17" },
	{ POOL "spread: nodes\n" NODES,
	  "2:9: error: \"nodes\" is not node or site (did you mean \"node\"?)", "nodes" },
	{ POOL "answers: 1\nspare: 16\n" NODES, "3:8: error: 16 is out of range: 0 to 15 nodes",
	  "16" },
	{ POOL "answers: 2\nspare: 2\n" NODES,
	  "3:8: error: spare 2 leaves nothing of answers 2: it must be less", "2" },
	{ POOL "spare: 1\n" NODES,
	  "2:8: error: spare 1 leaves nothing of answers 1: it must be less", "1" },
	{ POOL "answers: 4\nspare: 2\n" NODES,
	  "2:10: warning: no two of 2 nodes stand at one site (spread: site), and the pool has 1 "
	  "site: answers will have fewer",
	  "4" },
	{ POOL "spare-distance: -1km\n" NODES, "2:17: error: -1km is out of range: 0km to 20000km",
	  "-1km" },
	{ POOL "order: random\n" NODES, "2:8: error: \"random\" is not preference or shuffled",
	  "random" },
	{ POOL "max-automatic-down: 101\n" NODES, "2:21: error: 101 is out of range: 0% to 100%",
	  "101" },
	{ POOL "require: some\n" NODES,
	  "2:10: error: \"some\" is not all, any or a number of probes", "some" },
	{ POOL "require: 0\n" NODES, "2:10: error: 0 is out of range: 1 to 100 probes", "0" },
	{ POOL "require: [all]\n" NODES,
	  "2:10: error: a list stands where all, any or a number of probes belongs", "[" },
	{ POOL "require: 2\nprobes: [ { kind: icmp } ]\n" NODES,
	  "2:10: error: require 2 is more than there are probes: 1", "2" },
	{ POOL "flap: on\n" NODES,
	  "2:7: error: \"on\" is not off, or limits such as { half-life: 10m }", "on" },
	{ POOL "flap: { max-hold: 0s }\n" NODES,
	  "2:19: error: 0s is out of range: 1s to 1d, in steps of 1s", "0s" },
	{ POOL "freeze: on\n" NODES, "2:9: error: \"on\" is not true or false", "on" },
	{ POOL "ttl: 10s\n" NODES, "2:6: error: \"10s\" is not a map of options (floor or ceiling)",
	  "10s" },
	{ POOL "ttl: { floor: 10 }\n" NODES,
	  "2:15: error: \"10\" is not a duration such as 200ms, 5s, 1m, 12h or 90d, from 0s to "
	  "1d: it has no unit",
	  "10" },
	{ POOL "ttl: { floor: 25h }\n" NODES,
	  "2:15: error: 25h is out of range: 0s to 1d, in steps of 1s", "25h" },
	{ POOL "ttl: { ceiling: 0s }\n" NODES,
	  "2:17: error: 0s is out of range: none or 1s to 365d, in steps of 1s", "0s" },
	{ POOL "ttl: { ceiling: 9s }\n" NODES, "2:17: error: ceiling 9s is below floor 10s", "9s" },
	{ POOL "ttl: { ceiling: 1h, floor: 2h }\n" NODES,
	  "2:17: error: ceiling 1h is below floor 2h", "1h" },
	{ POOL "load-max-age: 500ms\n" NODES,
	  "2:15: error: 500ms is out of range: 1s to 1d, in steps of 1s", "500ms" },
	{ POOL "backup: [a]\n" NODES, "2:9: error: a list stands where the name of a pool belongs",
	  "[" },
	{ POOL "spill: on\n" NODES,
	  "2:8: error: \"on\" is not off or marks such as { high: 90%, low: 70% }", "on" },
	{ POOL "spill: { high: 70% }\n" NODES, "2:16: error: low 70% is not below high 70%",
	  "70%" },
	{ POOL "spill: { low: 90, high: 80 }\n" NODES, "2:15: error: low 90% is not below high 80%",
	  "90" },
	{ POOL "spill: { high: 101% }\n" NODES, "2:16: error: 101% is out of range: 1% to 100%",
	  "101%" },
	/* sites of a pool */
	{ POOL "sites: { tokyo: { bias: 100, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:25: error: 100 is out of range: -99% to 99%", "100" },
	{ POOL "sites: { tokyo: { bias: -100%, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:25: error: -100% is out of range: -99% to 99%", "-100%" },
	{ POOL "sites: { tokyo: { priority: 65536, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:29: error: 65536 is out of range: 0 to 65535", "65536" },
	{ POOL "sites: { tokyo: { minimum: 2, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:28: error: minimum 2 is more than the site has nodes: 1", "2" },
	{ POOL "sites: { tokyo: { minimum: 0, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:28: error: 0 is out of range: 1 to 65535 nodes", "0" },
	{ POOL "sites: { tokyo: { capacity: 0, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:29: error: 0 is out of range: 1 to 4294967295", "0" },
	{ POOL "sites: { tokyo: { spill: { low: 91 }, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:33: error: low 91% is not below high 90%", "91" },
	{ POOL "sites: { tokyo: { host: a.test, nodes: { a: { address: 192.0.2.1 } } } }\n",
	  "2:19: error: unknown option \"host\" (did you mean \"port\"?)", "host" },
	/* what is inherited is wrong once, where it stands */
	{ POOL "weight: heavy\nsites: { tokyo: { nodes: { a: { address: 192.0.2.1 }, "
	       "b: { address: 192.0.2.2 } } } }\n",
	  "2:9: error: \"heavy\" is not a whole number from 0 to 65535", "heavy" },
	{ POOL "port: 0\n" NODES, "2:7: error: 0 is out of range: 1 to 65535", "0" },
	{ POOL "capacity:\n" NODES, "2:1: error: \"capacity\" has no value", "capacity" },
	/* maintenance */
	{ POOL NODES "maintenance: always\n",
	  "3:14: error: \"always\" is not a list of maintenance windows", "always" },
	{ POOL NODES "maintenance: [ { until: 2026-12-01T02:00:00Z } ]\n",
	  "3:16: error: the required option \"from\" is missing", "{" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n    until: tomorrow\n",
	  "5:12: error: \"tomorrow\" is not a timestamp such as 2026-12-24T18:00:00Z "
	  "(RFC 3339)",
	  "tomorrow" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n"
		     "    until: 2026-12-01T03:00:00+01:00\n",
	  "5:12: error: it ends before it begins", "2026-12-01T03:00:00+01:00" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n"
		     "    until: 2026-12-01T03:00:00Z\n    node: tyo-2\n",
	  "6:11: error: this pool has no node \"tyo-2\" (did you mean \"tyo-1\"?)", "tyo-2" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n"
		     "    until: 2026-12-01T03:00:00Z\n    site: oslo\n",
	  "6:11: error: this pool has no nodes at site \"oslo\"", "oslo" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n"
		     "    until: 2026-12-01T03:00:00Z\n    site: tokyo\n    node: tyo-1\n",
	  "6:5: error: a window is for a node or for a site, not for both", "site" },
	{ POOL NODES "maintenance:\n  - from: 2026-12-01T02:00:00Z\n"
		     "    until: 2026-12-01T03:00:00Z\n    state: down\n",
	  "6:12: error: \"down\" is not drain or disable", "down" },
	{ POOL "persistence: forever\n" NODES,
	  "2:14: error: \"forever\" is not subnet, none or prefix lengths such as "
	  "{ v4: 24, v6: 56 }",
	  "forever" },
	{ POOL "persistence: { v4: 33 }\n" NODES, "2:20: error: 33 is out of range: 1 to 32 bits",
	  "33" },
	{ POOL "fallback: [192.0.2.1, 192.0.2.1]\n" NODES, "2:23: error: 192.0.2.1 is listed twice",
	  "192.0.2.1" },
	{ POOL "fallback: some\n" NODES,
	  "2:11: error: \"some\" is not all, last-good, nearest, none, pool:NAME or a list of "
	  "addresses (did you mean \"none\"?)",
	  "some" },
	{ POOL "fallback: last-god\n" NODES,
	  "2:11: error: \"last-god\" is not all, last-good, nearest, none, pool:NAME or a list of "
	  "addresses (did you mean \"last-good\"?)",
	  "last-god" },
	{ POOL "fallback: pool:egde\n" NODES,
	  "2:11: error: there is no pool \"egde\" (did you mean \"edge\"?)", "pool:egde" },
	{ POOL "fallback: pool:edge\n" NODES,
	  "2:11: error: pool \"edge\" cannot stand in for itself", "pool:edge" },
	{ POOL "backup: egde\n" NODES,
	  "2:9: error: there is no pool \"egde\" (did you mean \"edge\"?)", "egde" },
	/* nodes */
	{ POOL "sites: {}\n", "2:8: error: the pool is empty: it has no sites", "{" },
	{ POOL "sites:\n  tokyo: { nodes: {} }\n", "3:19: error: there are no nodes", "{" },
	{ POOL "sites:\n  tokyo: {}\n", "3:3: error: the required option \"nodes\" is missing",
	  "tokyo" },
	{ POOL "sites:\n  tokio: { nodes: { a: { address: 192.0.2.1 } } }\n",
	  "3:3: error: there is no site \"tokio\" in signpost.yaml (did you mean \"tokyo\"?)",
	  "tokio" },
	{ POOL "sites:\n  tokyo: { nodes: { a: {} } }\n",
	  "3:21: error: the required option \"address\" is missing", "a" },
	{ POOL "sites:\n  tokyo:\n    nodes:\n      tyo-1: { address: 203.0.113.10 }\n"
	       "      tyo-2: { address: 203.0.113.300, weight: 50 }\n",
	  "6:25: error: \"203.0.113.300\" is neither an IPv4 nor an IPv6 address",
	  "203.0.113.300" },
	{ POOL "sites:\n  tokyo:\n    nodes:\n      a: { address: 192.0.2.1 }\n"
	       "      a: { address: 192.0.2.2 }\n",
	  "6:7: error: node \"a\" is already defined in line 5", "a" },
	{ POOL "sites:\n  tokyo: { nodes: { a: { address: 192.0.2.1 } } }\n"
	       "  oslo: { nodes: { a: { address: 192.0.2.2 } } }\n",
	  "4:20: error: node \"a\" is already defined in line 3", "a" },
	{ POOL "sites:\n  tokyo: { nodes: { a: { address: 192.0.2.1 } } }\n"
	       "  tokyo: { nodes: { b: { address: 192.0.2.2 } } }\n",
	  "4:3: error: site \"tokyo\" is already given in line 3", "tokyo" },
	{ POOL "sites:\n  tokyo: { nodes: { a: { address: [192.0.2.1, \"2001:DB8::1\", "
	       "\"2001:db8:0::1\"] } } }\n",
	  "3:63: error: 2001:db8:0::1 is listed twice", "2001:db8:0::1" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, weight: 65536 } } } }\n",
	  "2:61: error: 65536 is out of range: 0 to 65535", "65536" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, weight: -1 } } } }\n",
	  "2:61: error: -1 is out of range: 0 to 65535", "-1" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 0.0.0.0 } } } }\n",
	  "2:42: error: 0.0.0.0 cannot be a node's address: it is the unspecified address",
	  "0.0.0.0" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: \"::ffff:192.0.2.1\" } } } }\n",
	  "2:43: error: ::ffff:192.0.2.1 cannot be a node's address: it is an IPv4 address in IPv6 "
	  "form (write the IPv4 address)",
	  "::ffff:192.0.2.1" },
	/* services */
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, port: 0 } } } }\n",
	  "2:59: error: 0 is out of range: 1 to 65535", "0" },
	{ POOL NODES "port: 65536\n", "3:7: error: 65536 is out of range: 1 to 65535", "65536" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, host: a_b.test } } } }\n",
	  "2:59: error: \"a_b.test\" is not a host name: a host name has letters, digits and "
	  "hyphens",
	  "a_b.test" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, host: -a.test } } } }\n",
	  "2:59: error: \"-a.test\" is not a host name: a host name has letters, digits and "
	  "hyphens",
	  "-a.test" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, host: a..test } } } }\n",
	  "2:59: error: \"a..test\" is not a host name: a label is empty", "a..test" },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, host: . } } } }\n",
	  "2:59: error: \".\" is not a host name: a host name has letters, digits and hyphens",
	  "." },
	{ POOL "sites: { tokyo: { nodes: { a: { address: 192.0.2.1, host: 192.0.2.1 } } } }\n",
	  "2:59: error: \"192.0.2.1\" is not a host name: it is an address", "192.0.2.1" },
	{ POOL "sites: { tokyo: { nodes: {\n  a: { address: 192.0.2.1, host: a.test },\n"
	       "  b: { address: 192.0.2.1, host: A.test. } } } }\n",
	  "4:34: error: host a.test. is already that of a node in line 3", "A.test." },
	{ POOL NODES "alpn: [h2, \"\"]\n",
	  "3:13: error: an ALPN id has 1 to 255 octets, this one has 0", "\"" },
	{ POOL NODES "alpn: [h2, h3, h2]\n", "3:16: error: h2 is listed twice", "h2" },
	{ POOL NODES "alpn: { h2: h3 }\n",
	  "3:7: error: a map stands where an ALPN id or a list of them belongs", "{" },
	/* probes */
	{ POOL NODES "probes: tcp\n", "3:9: error: \"tcp\" is not a list of probes", "tcp" },
	{ POOL NODES "probes:\n  - port: 80\n",
	  "4:5: error: the required option \"kind\" is missing", "p" },
	{ POOL NODES "probes:\n  - kind: tcp\n", "4:11: error: a tcp probe needs a \"port\"",
	  "tcp" },
	{ POOL NODES "probes:\n  - kind: htpp\n    port: 80\n",
	  "4:11: error: \"htpp\" is not " PROBE_KIND_WORDS " (did you mean \"http\"?)", "htpp" },
	{ POOL NODES "probes:\n  - kind: agent\n", "4:11: error: an agent probe needs a \"port\"",
	  "agent" },
	{ POOL NODES "probes:\n  - kind: file\n    path: x\n    port: 80\n",
	  "6:5: error: a file probe has no port", "port" },
	{ POOL NODES "probes: [ { kind: exec } ]\n",
	  "3:11: error: the required option \"command\" is missing", "{" },
	{ POOL NODES "probes: [ { kind: exec, command: /no/such } ]\n",
	  "3:34: error: /no/such: No such file or directory", "/no/such" },
	{ POOL NODES "probes: [ { kind: exec, command: /bin/echo hi } ]\n",
	  "3:34: error: /bin/echo hi: No such file or directory (a command is a list of words: "
	  "[PROGRAM, ARGUMENT])",
	  "/bin/echo hi" },
	{ POOL NODES "probes: [ { kind: exec, command: [/etc/passwd] } ]\n",
	  "3:35: error: /etc/passwd is not executable", "/etc/passwd" },
	{ POOL NODES "probes: [ { kind: exec, command: [/etc] } ]\n",
	  "3:35: error: /etc is no program", "/etc" },
	{ POOL NODES "probes: [ { kind: exec, command: [/bin/echo, '{adress}'] } ]\n",
	  "3:47: warning: {adress} stays as it is: it is not {address}, {port}, {node} or {pool}",
	  "{adress}" },
	{ POOL NODES "probes: [ { kind: exec, command: [/bin/echo, '{port}'] } ]\n",
	  "3:34: error: the command has {port}, but the probe has no \"port\"", "[" },
	{ POOL NODES "probes: [ { kind: exec, command: /bin/true, capacity: 2 } ]\n",
	  "3:45: error: a capacity means nothing without \"load\"", "capacity" },
	{ POOL NODES "probes: [ { kind: exec, command: /bin/true, load: a, capacity: 0x2 } ]\n",
	  "3:64: error: \"0x2\" is not a number greater than 0", "0x2" },
	{ POOL NODES "probes:\n  - kind: icmp\n    port: 80\n",
	  "5:5: error: an icmp probe has no port", "port" },
	{ POOL NODES "probes: [ { kind: icmp, interval: 1s, timeout: 1001ms } ]\n",
	  "3:48: error: timeout 1001ms is longer than interval 1s", "1001ms" },
	{ POOL NODES "probes: [ { kind: icmp, max-loss: 20%, warn-loss: 20% } ]\n",
	  "3:51: error: warn-loss is not below max-loss", "20%" },
	{ POOL NODES "probes: [ { kind: icmp, max-rtt: 2s } ]\n",
	  "3:34: error: max-rtt 2s is not below the timeout, 2s, after which an echo is lost",
	  "2s" },
	{ POOL NODES "probes: [ { kind: icmp, warn-rtt: 50ms, timeout: 20ms } ]\n",
	  "3:35: error: warn-rtt 50ms is not below the timeout, 20ms, after which an echo is lost",
	  "50ms" },
	{ POOL NODES "probes: [ { kind: http, path: health } ]\n",
	  "3:31: error: \"health\" is not a path that begins with / (blanks, # and what is not "
	  "ASCII are written as %20)",
	  "health" },
	{ POOL NODES "probes: [ { kind: http, host: a/b } ]\n",
	  "3:31: error: \"a/b\" is not a host name", "a/b" },
	{ POOL NODES "probes: [ { kind: http, expect-status: [ 200-299, 2xx ] } ]\n",
	  "3:51: error: \"2xx\" is not a status code from 100 to 599, or a range of them like "
	  "200-399",
	  "2xx" },
	{ POOL NODES "probes: [ { kind: http, expect-status: 399-200 } ]\n",
	  "3:40: error: \"399-200\" is not a status code from 100 to 599, or a range of them like "
	  "200-399",
	  "399-200" },
	{ POOL NODES "probes: [ { kind: http, headers: { Host: x } } ]\n",
	  "3:36: error: the Host header is what option \"host\" says", "Host" },
	{ POOL NODES "probes: [ { kind: http, headers: { \"a b\": x } } ]\n",
	  "3:37: error: \"a b\" is not the name of a header", "a b" },
	{ POOL NODES "probes: [ { kind: http, headers: { X-Y: \"a\\nX: b\" } } ]\n",
	  "3:42: error: this cannot be a header's value: control characters have no place in it, "
	  "nor blanks at its ends",
	  NULL },
	{ POOL NODES "probes: [ { kind: http, body: x } ]\n",
	  "3:25: error: a body goes with method POST or PUT", "body" },
	{ POOL NODES "probes: [ { kind: http, method: HEAD, expect-body: x } ]\n",
	  "3:39: error: with method HEAD no body is answered", "expect-body" },
	{ POOL NODES "probes: [ { kind: http, verify: false } ]\n",
	  "3:25: error: unknown option \"verify\"", "verify" },
	{ POOL NODES "probes: [ { kind: tls, alpn: [ h2, h3 ], expect-alpn: h1 } ]\n",
	  "3:55: error: \"h1\" is not offered with alpn", "h1" },
	{ POOL NODES "probes: [ { kind: tls, server-name: a_b/ } ]\n",
	  "3:37: error: \"a_b/\" is not a host name", "a_b/" },
	{ POOL NODES "probes: [ { kind: tls, client-certificate: /nowhere } ]\n",
	  "3:44: error: /nowhere: No such file or directory", "/nowhere" },
	{ POOL NODES "probes: [ { kind: dns } ]\n",
	  "3:11: error: the required option \"query\" is missing", "{" },
	{ POOL NODES "probes: [ { kind: dns, query: a..b } ]\n",
	  "3:31: error: \"a..b\" is not a "
	  "domain name: a label is empty",
	  "a..b" },
	{ POOL NODES "probes: [ { kind: dns, query: a, type: AAAA, expect-address: 192.0.2.1 } ]\n",
	  "3:62: error: 192.0.2.1 is not in records of type AAAA", "192.0.2.1" },
	{ POOL NODES "probes: [ { kind: dns, query: a, expect-rcode: [ REFUSED, NXDOMIAN ] } ]\n",
	  "3:59: error: \"NXDOMIAN\" is not NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP or "
	  "REFUSED",
	  "NXDOMIAN" },
	{ POOL NODES "probes: [ { kind: udp, port: 9 } ]\n",
	  "3:19: error: a udp probe needs \"send\" or \"send-hex\"", "udp" },
	{ POOL NODES "probes: [ { kind: udp, port: 9, send-hex: 0f1 } ]\n",
	  "3:43: error: \"0f1\" is not 1 to 1400 octets as pairs of hexadecimal digits", "0f1" },
	{ POOL NODES "probes: [ { kind: udp, port: 9, send: a, send-hex: 00 } ]\n",
	  "3:42: error: there is send already", "send-hex" },
	{ POOL NODES "probes: [ { kind: https, ca: /nowhere } ]\n",
	  "3:30: error: /nowhere: No such file or directory", "/nowhere" },
	{ POOL NODES "probes: [ { kind: https, ca: /dev/null } ]\n",
	  "3:30: error: /dev/null: is not a file of at most 65536 octets", "/dev/null" },
	{ POOL NODES "probes: [ { kind: icmp, window: 1001 } ]\n",
	  "3:33: error: 1001 is out of range: 1 to 1000 echoes", "1001" },
	{ POOL NODES "probes: [ { kind: tcp, port: 80, max-loss: 20% } ]\n",
	  "3:34: error: unknown option \"max-loss\"", "max-loss" },
	{ POOL NODES "probes: [ { kind: icmp, interval: 99ms } ]\n",
	  "3:35: error: 99ms is out of range: 100ms to 1h, in steps of 1ms", "99ms" },
	{ POOL NODES "probes: [ { kind: icmp, family: v4 } ]\n",
	  "3:33: error: \"v4\" is not ipv4, ipv6 or both", "v4" },
	{ POOL NODES "probes: [ { kind: icmp, jitter: 51 } ]\n",
	  "3:33: error: 51 is out of range: 0% to 50%", "51" },
	{ POOL NODES "probes: [ { kind: tcp, port: 0 } ]\n",
	  "3:30: error: 0 is out of range: 1 to 65535", "0" },
	{ POOL NODES "probes: [ { kind: tcp, port: 80, family: ipv6 } ]\n",
	  "2:28: warning: no probe looks at node \"tyo-1\" (they are for the other family): it "
	  "always counts as up",
	  "tyo-1" },
	/* rules */
	{ POOL NODES "rules:\n  - sites: [tokyo]\n",
	  "4:5: error: the required option \"clients\" is missing", "s" },
	{ POOL NODES "rules:\n  - { clients: [], sites: [tokyo] }\n",
	  "4:16: error: an empty list stands where a client or a list of clients belongs", "[" },
	{ POOL NODES "rules:\n  - { clients: [JP], sites: [oslo] }\n",
	  "4:30: error: this pool has no nodes at site \"oslo\"", "oslo" },
	{ POOL NODES "rules:\n  - { clients: [JP], sites: [tokyo, tokyo] }\n",
	  "4:37: error: site \"tokyo\" is listed twice", "tokyo" },
	{ POOL NODES "rules:\n  - { clients: [JP, KR, JP], sites: [tokyo] }\n",
	  "4:25: error: a rule for JP is already given in line 4", "JP" },
	{ POOL NODES "rules:\n  - { clients: [AS7], sites: [tokyo] }\n"
		     "  - { clients: [AS007], sites: [tokyo] }\n",
	  "5:17: error: a rule for AS007 is already given in line 4", "AS007" },
	{ POOL NODES "rules:\n  - { clients: [UK], sites: [tokyo] }\n",
	  "4:17: error: \"UK\" is no country code of ISO 3166-1 (did you mean \"GB\"?)", "UK" },
	{ POOL NODES "rules:\n  - { clients: [jp], sites: [tokyo] }\n",
	  "4:17: error: \"jp\" is no country code of ISO 3166-1 (did you mean \"JP\"?)", "jp" },
	{ POOL NODES "rules:\n  - { clients: [EU], sites: [tokyo] }\n",
	  "4:17: error: \"EU\" is no country code of ISO 3166-1 (did you mean \"continent:EU\"?)",
	  "EU" },
	{ POOL NODES "rules:\n  - { clients: [QQ], sites: [tokyo] }\n",
	  "4:17: error: \"QQ\" is no country code of ISO 3166-1", "QQ" },
	{ POOL NODES "rules:\n  - { clients: [continent:XX], sites: [tokyo] }\n",
	  "4:17: error: \"XX\" is no continent: they are AF, AN, AS, EU, NA, OC and SA",
	  "continent:XX" },
	{ POOL NODES "rules:\n  - { clients: [AS4294967296], sites: [tokyo] }\n",
	  "4:17: error: \"AS4294967296\" is no AS number: they are from AS1 to AS4294967295",
	  "AS4294967296" },
	{ POOL NODES "rules:\n  - { clients: [AS99999999999999999999999], sites: [tokyo] }\n",
	  "4:17: error: \"AS99999999999999999999999\" is no AS number: they are from AS1 to "
	  "AS4294967295",
	  "AS99999999999999999999999" },
	{ POOL NODES "rules:\n  - { clients: [192.0.2.1/24], sites: [tokyo] }\n",
	  "4:17: error: 192.0.2.1/24 has bits set behind the prefix (did you mean "
	  "\"192.0.2.0/24\"?)",
	  "192.0.2.1/24" },
	{ POOL NODES "rules:\n  - { clients: [\"2001:db8::1/32\"], sites: [tokyo] }\n",
	  "4:18: error: 2001:db8::1/32 has bits set behind the prefix (did you mean "
	  "\"2001:db8::/32\"?)",
	  "2001:db8::1/32" },
	{ POOL NODES "rules:\n  - { clients: [192.0.2.0/33], sites: [tokyo] }\n",
	  "4:17: error: \"192.0.2.0/33\" is neither a country (JP), a continent (continent:EU), "
	  "an AS (AS4134), a network (192.0.2.0/24) nor another of the forms in "
	  "signpost-pool(5), Clients",
	  "192.0.2.0/33" },
	{ POOL NODES "rules:\n  - { clients: [Japan], sites: [tokyo] }\n",
	  "4:17: error: \"Japan\" is neither a country (JP), a continent (continent:EU), an AS "
	  "(AS4134), a network (192.0.2.0/24) nor another of the forms in signpost-pool(5), "
	  "Clients",
	  "Japan" },
};

/* The text above the ^~~~ of the one mistake that is printed. */
static const char *underlined(const char *printed, char out[256])
{
	const char *source = strchr(printed, '\n') + 1;
	const char *line = strchr(source, '\n') + 1;
	const char *caret = strchr(line, '^');
	size_t width = 1 + strspn(caret + 1, "~");
	size_t column = 0, pos = 0;

	ck_assert_ptr_nonnull(caret);
	for (; column < (size_t)(caret - line); pos++)
		column += ((unsigned char)source[pos] & 0xc0) != 0x80;
	while (((unsigned char)source[pos] & 0xc0) == 0x80)
		pos++;
	for (column = 0; column < width && source[pos] != '\n'; pos++) {
		*out++ = source[pos];
		if (((unsigned char)source[pos + 1] & 0xc0) != 0x80)
			column++;
	}
	*out = '\0';
	return caret;
}

#define NO_FILE                                                                                    \
	"error: this is no path of a file that can be read (No such file or directory): a secret " \
	"stands in a file of its own, and its path here, from this file's folder on"
#define LOAD POOL NODES "load: { sources: [ { "
#define WIREGUARD                                                       \
	POOL NODES "probes: [ { kind: wireguard, port: 1, public-key: " \
		   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,\n  "

/* All that are paths of files with secrets, and have one in the place of the path. */
static const struct row secret_rows[] = {
	{ ZONES SITES "cookie-secrets: hunter2\n", "3:17: " NO_FILE, NULL },
	{ ZONES SITES "hooks: [ { on: up, url: 'http://192.0.2.1/', header: hunter2 } ]\n",
	  "3:54: " NO_FILE, NULL },
	{ LOAD "kind: openvpn-management, port: 1, capacity: 4, password: hunter2 } ] }\n",
	  "3:80: " NO_FILE, NULL },
	{ LOAD "kind: openvpn-management, port: 1, capacity: 4, password: [ hunter2 ] } ] }\n",
	  "3:80: error: a list stands where the path of a file belongs", NULL },
	{ LOAD "kind: openvpn-management, port: 1, capacity: 0, password: hunter2 } ] }\n",
	  "3:67: error: 0 is out of range: 1 to 10000000 clients", NULL },
	{ POOL NODES "probes: [ { kind: http, headers: { Authorization: 'file:hunter2' } } ]\n",
	  "3:52: " NO_FILE, NULL },
	{ POOL NODES "probes: [ { kind: http, headers: { Authorization: ' hunter2' } } ]\n",
	  "3:52: error: this cannot be a header's value: control characters have no place in it, "
	  "nor blanks at its ends",
	  NULL },
	{ POOL NODES "probes: [ { kind: openvpn, port: 1, tls-auth: hunter2 } ]\n",
	  "3:47: " NO_FILE, NULL },
	{ POOL NODES "probes: [ { kind: openvpn, port: 1, tls-auth: hunter2, digest: MD5 } ]\n",
	  "3:64: error: \"MD5\" is not SHA1, SHA256 or SHA512", NULL },
	{ POOL NODES "probes: [ { kind: openvpn, port: 1, tls-crypt: hunter2 } ]\n",
	  "3:48: " NO_FILE, NULL },
	{ POOL NODES "probes: [ { kind: openvpn, port: 1, tls-crypt-v2: hunter2 } ]\n",
	  "3:51: " NO_FILE, NULL },
	{ WIREGUARD "private-key: hunter2 } ]\n", "4:16: " NO_FILE, NULL },
	{ WIREGUARD "private-key: " KEY " } ]\n",
	  "4:16: error: a secret key belongs in a file of its own: name it", NULL },
	{ WIREGUARD "private-key: /dev/null, preshared-key: hunter2 } ]\n", "4:42: " NO_FILE,
	  NULL },
	{ POOL NODES "probes: [ { kind: tls, client-key: hunter2 } ]\n", "3:36: " NO_FILE, NULL },
};

static void check_row(const struct row *row, const char *file, const struct reading *reading)
{
	char expected[1024], text[256];
	size_t len;

	(void)snprintf(expected, sizeof(expected), "%s:%s\n", file, row->says);
	len = strlen(expected);
	if (strncmp(reading->printed, expected, len) != 0 ||
	    diag_errors(reading->diag) + diag_warnings(reading->diag) != 1)
		ck_abort_msg("expected alone:\n%sgot:\n%s", expected, reading->printed);
	if (row->underlined == NULL) {
		ck_assert_str_eq(reading->printed + len, "");
		return;
	}
	(void)underlined(reading->printed, text);
	ck_assert_str_eq(text, row->underlined);
}

START_TEST(each_mistake_in_the_server_file_has_its_place)
{
	struct reading *reading;

	ck_assert_int_eq(unlink("zones/edge.pool.yaml"), 0);
	reading = fixture_read(server_rows[_i].text, NULL);
	check_row(&server_rows[_i], "signpost.yaml", reading);
	fixture_free(reading);
}
END_TEST

START_TEST(each_mistake_in_a_pool_file_has_its_place)
{
	struct reading *reading = fixture_read(NULL, pool_rows[_i].text);

	check_row(&pool_rows[_i], "zones/edge.pool.yaml", reading);
	fixture_free(reading);
}
END_TEST

/* With what is told of the secret, there may be one mistake more in its line. */
START_TEST(no_mistake_repeats_a_secret)
{
	const struct row *row = &secret_rows[_i];
	bool server = strncmp(row->text, ZONES, strlen(ZONES)) == 0;
	struct reading *reading;

	if (server)
		ck_assert_int_eq(unlink("zones/edge.pool.yaml"), 0);
	reading = fixture_read(server ? row->text : NULL, server ? NULL : row->text);
	ck_assert_msg(strstr(reading->printed, row->says) != NULL, "%s", reading->printed);
	ck_assert_msg(strstr(reading->printed, "hunter2") == NULL, "%s", reading->printed);
	ck_assert_msg(strstr(reading->printed, KEY) == NULL, "%s", reading->printed);
	ck_assert_uint_gt(diag_errors(reading->diag), 0);
	fixture_free(reading);
}
END_TEST

static void setup(void)
{
	fixture_setup();
	ck_assert_int_eq(system("mkdir zones/sub"), 0);
}

Suite *mistakes_suite(void)
{
	Suite *suite = suite_create("mistakes");
	TCase *tcase = tcase_create("mistakes");

	tcase_add_checked_fixture(tcase, setup, fixture_teardown);
	tcase_add_loop_test(tcase, each_mistake_in_the_server_file_has_its_place, 0,
			    (int)(sizeof(server_rows) / sizeof(server_rows[0])));
	tcase_add_loop_test(tcase, each_mistake_in_a_pool_file_has_its_place, 0,
			    (int)(sizeof(pool_rows) / sizeof(pool_rows[0])));
	tcase_add_loop_test(tcase, no_mistake_repeats_a_secret, 0,
			    (int)(sizeof(secret_rows) / sizeof(secret_rows[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
