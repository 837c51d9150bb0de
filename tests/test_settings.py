"""Settings say everything that is wrong at once, and the demo never mixes with the real."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.fulfillment.planning.plant import ServeBy
from b2bcrm.settings import Settings, SettingsError

REAL = {
    "DATABASE_URL": "postgresql://u:pw-secret@db/crm",
    "CRM_SECRET_KEY": "k" * 40,
    "CRM_BASE_URL": "https://crm.example.com/",
    "ERP_URL": "http://erp.example.com",
    "SMTP_URL": "smtp://u:pw-secret@mail.example.com",
}


def test_without_a_database_it_is_the_demo_with_a_kept_secret(tmp_path):
    first = Settings.from_env({"CRM_DATA_DIR": str(tmp_path)})
    again = Settings.from_env({"CRM_DATA_DIR": str(tmp_path)})
    assert first.demo
    assert len(first.secret_key) >= 32
    assert again.secret_key == first.secret_key


def test_dates_come_from_a_plan_unless_that_is_switched_off(tmp_path):
    folder = {"CRM_DATA_DIR": str(tmp_path)}
    assert Settings.from_env(folder).plans
    assert not Settings.from_env(folder | {"CRM_PLAN": "0"}).plans


def test_the_morning_report_has_an_hour_and_can_be_switched_off(tmp_path):
    folder = {"CRM_DATA_DIR": str(tmp_path)}
    assert Settings.from_env(folder).morning_at == dt.time(7)
    assert Settings.from_env(folder | {"CRM_MORNING_REPORT": "06:30"}).morning_at == dt.time(6, 30)
    assert Settings.from_env(folder | {"CRM_MORNING_REPORT": "0"}).morning_at is None
    for wrong in ("at seven", "07:00+02:00"):
        with pytest.raises(SettingsError, match="CRM_MORNING_REPORT"):
            Settings.from_env(folder | {"CRM_MORNING_REPORT": wrong})


def test_the_rule_by_which_lines_are_served_is_of_known_words_each_once(tmp_path):
    folder = {"CRM_DATA_DIR": str(tmp_path)}
    assert ",".join(Settings.from_env(folder).serve_by) == "class,promise,entry"
    other = Settings.from_env(folder | {"CRM_SERVE_BY": "value, wish"}).serve_by
    assert other == (ServeBy.VALUE, ServeBy.WISH)
    for wrong in ("", "class,size", "entry,class,entry"):
        with pytest.raises(SettingsError, match="CRM_SERVE_BY must name some of"):
            Settings.from_env(folder | {"CRM_SERVE_BY": wrong})


def test_with_a_database_nothing_of_the_demo_is_left():
    settings = Settings.from_env(REAL)
    assert not settings.demo
    assert settings.secure
    assert settings.base_url == "https://crm.example.com"


def test_every_fault_is_named_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(
            {"DATABASE_URL": "mysql://x", "CRM_PORT": "http", "CRM_API_PER_TOKEN": "0"}
        )
    for name in (
        "DATABASE_URL",
        "CRM_SECRET_KEY",
        "CRM_BASE_URL",
        "ERP_URL",
        "CRM_PORT",
        "CRM_API_PER_TOKEN",
    ):
        assert name in str(caught.value)


def test_no_secret_shows_in_the_repr():
    settings = Settings.from_env({**REAL, "ERP_SECRET": "pw-secret"})
    assert "pw-secret" not in repr(settings)
    assert "kkkk" not in repr(settings)


def test_what_a_profile_asks_for_beside_is_given_as_pairs():
    settings = Settings.from_env({**REAL, "ERP_PARAMS": "client=100 order_type=TA"})
    assert settings.erp_params == {"client": "100", "order_type": "TA"}
    with pytest.raises(SettingsError, match="ERP_PARAMS"):
        Settings.from_env({**REAL, "ERP_PARAMS": "client"})
