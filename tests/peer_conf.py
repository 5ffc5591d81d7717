"""Configurations of the name servers that tests and the benchmark run beside Signpost: each in a
folder of its own, on loopback, with one thread that answers, and writing to nowhere else."""


def nsd(folder, port, zones, options="", zone_options=""):
    """zones: {origin: path of its file}. The options are whole lines."""
    each = "".join(f"zone:\n  name: {origin}\n  zonefile: {path}\n{zone_options}" for origin, path in zones.items())
    return f"""server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: {folder}
  pidfile: {folder}/pid
  xfrdfile: {folder}/xfrd.state
  xfrdir: {folder}
  zonelistfile: {folder}/zone.list
  rrl-ratelimit: 0
{options}remote-control:
  control-enable: no
{each}"""


def knot(folder, port, zones, options="", template_options="", sections=""):
    """As nsd. More zones may follow: the last section is theirs."""
    each = "".join(f'  - domain: "{origin}"\n    file: "{path}"\n' for origin, path in zones.items())
    return f"""server:
  listen: 127.0.0.1@{port}
  rundir: {folder}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
{options}log:
  - target: stderr
    any: warning
database:
  storage: {folder}
{sections}template:
  - id: default
    storage: {folder}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
{template_options}zone:
{each}"""
