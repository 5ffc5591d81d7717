import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(1, str(pathlib.Path(__file__).parents[1]))  # what it shares with tests/bench

import rfczones  # noqa: E402
import signpost  # noqa: E402


@pytest.fixture(scope="module")
def sample():
    """The sample configuration, all its nodes up. A test that changes anything puts it back."""
    with signpost.world() as (server, nodes):
        server.use_sample(nodes.port)
        nodes.start(*signpost.sample_addresses())
        server.nodes = nodes
        server.start()
        signpost.wait_until(lambda: {node["status"] for pool in json.loads(server.ctl("--json", "status").stdout)["pools"]
                                     for site in pool["sites"] for node in site["nodes"]} == {"up"},
                            15 * signpost.SLOW, every=0.1)
        yield server


@pytest.fixture
def fresh():
    """A Signpost that is not started, without files, and nodes: (server, nodes)."""
    with signpost.world() as both:
        yield both


@pytest.fixture(scope="session")
def rfc():
    """The zones of the RFC tests: see rfczones.py. Nobody changes anything."""
    with signpost.world("signpost-rfc-") as (server, _):
        yield rfczones.start(server)
