"""``crm erp check``: one look, in plain words, and a sentence for each wrong input."""

from __future__ import annotations

import pytest

here = pytest.mark.allow_hosts(["127.0.0.1"])


@here
def test_a_good_connection_is_told_in_plain_words(crm, connection):
    done = crm("erp", "check", *connection)
    assert done.exit_code == 0, done.output
    lines = dict(line.split(maxsplit=1) for line in done.output.splitlines() if " " in line)
    assert lines["login"] == "crm: The ERP answers."
    assert lines["company"] == "FPD-TW"
    assert lines["clock"] == "agrees with ours"
    assert "sales_order" in lines["reads"]
    assert done.output.endswith("ok\n")


@here
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("company=NOBODY", "The ERP has no company NOBODY."),
        ("user=somebody", "does not accept the user name and password"),
        ("base_url=http://127.0.0.1:9", "The ERP cannot be reached."),
    ],
)
def test_a_connection_that_is_not_well_ends_with_an_error(crm, connection, changed, said):
    done = crm("erp", "check", *connection, "--set", changed)
    assert done.exit_code == 1
    assert said in done.output


WRONG = [
    (["--set", "base_url=http://x"], "--set and --secret-env need --profile."),
    (["--profile", "twin"], "--set base_url=... must be an address"),
    (["--profile", "twin", "--set", "base_url=ftp://x"], "--set base_url=... must be an address"),
    (["--profile", "twin", "--set", "company"], "--set company: write NAME=VALUE."),
    (
        ["--profile", "twin", "--set", "base_url=http://x", "--set", "read_timeout_s=soon"],
        "--set read_timeout_s=soon: not a number.",
    ),
    (["--profile", "twin", "--secret-env", "NO_SUCH"], "--secret-env NO_SUCH: there is no such"),
    (["--profile", "unheard-of", "--set", "base_url=http://x"], "there is no profile"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_wrong_input_gets_one_sentence(crm, options, said):
    done = crm("erp", "check", *options)
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output


def test_without_options_the_configured_connection_is_checked(crm, monkeypatch):
    monkeypatch.setenv("ERP_PROFILE", "unheard-of")
    done = crm("erp", "check")
    assert "there is no profile 'unheard-of'" in done.output


def test_the_clock_is_told_with_its_direction():
    from b2bcrm.cli.erp.check import _clock

    assert _clock(None) == "the ERP does not tell its time"
    assert _clock(-12.0) == "12 s behind ours"
    assert "more than 5 minutes" in _clock(7200.0)
