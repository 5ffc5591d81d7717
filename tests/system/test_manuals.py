"""The manuals tell what the programs know: every option, and its default."""

import re
import subprocess

import pytest

import signpost

MANUALS = {"server": "signpost.yaml.5", "pool": "signpost-pool.5"}


def options():
    """(file, section, name, default) of every option that signpost-compile knows."""
    text = subprocess.run([signpost.BUILD / "signpost-compile", "--options"], capture_output=True,
                          text=True, check=True).stdout
    for line in text.splitlines():
        section, name, _, default = line.split("\t")[:4]
        yield section.split(":")[0], section, name, default


def entry(manual, name):
    """The lines of an option's entry or mention; empty: there is none."""
    text = (signpost.SOURCE / "man" / manual).read_text()
    found = re.search(rf"^\.It Ic {re.escape(name)} .*?(?=^\.It |^\.El|^\.Sh )", text, re.MULTILINE | re.DOTALL)
    if found:
        return found.group()
    return "\n".join(line for line in text.splitlines() if line.startswith(".Ic ")
                     and name in line.replace(",", " ").split())


@pytest.mark.parametrize("file, section, name, default", options(), ids=lambda v: str(v)[:30])
def test_option_is_in_the_manual_with_its_default(file, section, name, default):
    text = entry(MANUALS[file], name)
    assert text, f"{section}: {name} is not in {MANUALS[file]}"
    if default not in ("-", "(required)") and "persistence" not in section:
        for word in default.split():
            assert word in text, f"{MANUALS[file]} does not give the default of {name}"


@pytest.mark.parametrize("program, manual", [("signpostd", "signpostd.8"), ("signpostctl", "signpostctl.1")])
def test_options_of_programs_are_in_their_manuals(program, manual):
    told = subprocess.run([signpost.BUILD / program, "--help"], capture_output=True, text=True, check=True).stdout
    text = (signpost.SOURCE / "man" / manual).read_text()
    for option in sorted(set(re.findall(r"--([a-z-]+)", told))):
        assert re.search(rf"Fl -{option}\b", text), f"--{option} is not in {manual}"
