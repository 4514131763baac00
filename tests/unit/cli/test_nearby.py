"""Attempts follow each other in seconds where every database is on this machine, and nobody has said otherwise."""

from __future__ import annotations

import pytest

from headway_cli.intake import Intake
from headway_cli.launch import check_sources
from headway_cli.nearby import is_here, with_short_pauses
from headway_contract.request import CredentialVariables, DatabaseRequest
from headway_operator.cluster.local_process import Sources


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("postgresql://u:p@localhost:5433/shop", True),
        ("postgresql+psycopg://u:p@127.0.0.1/shop", True),
        ("postgresql://u@[::1]:5432/shop", True),
        ("postgresql:///shop?host=/var/run/postgresql", True),
        ("sqlite:////srv/shop.db", True),
        ("mysql+pymysql://u:p@LOCALHOST/shop", True),
        ("postgresql://u:p@db.example.com/shop", False),
        ("postgresql://u:p@10.0.0.7/shop", False),
        ("postgresql://u:p@localhost,db.example.com/shop", False),
        ("postgresql://u:p@/shop?host=localhost&host=db.example.com", False),
        ("postgresql://u:p@[::1/shop", False),
        ("", False),
    ],
)
def test_where_a_database_is_stands_in_its_url(url, here):
    assert is_here(DatabaseRequest("main", url_variable="URL"), {"URL": url}) is here


@pytest.mark.parametrize(("host", "here"), [("localhost", True), ("shop-rw", False)])
def test_or_in_the_host_of_its_credentials(host, here):
    database = DatabaseRequest("main", credentials=CredentialVariables(host="HOST"))
    assert is_here(database, {"HOST": host}) is here


def test_what_only_the_application_knows_is_not_taken_for_near():
    assert not is_here(DatabaseRequest("main"), {})


def intake(*hosts, has_own_pauses=False):
    databases = [
        {"name": f"d{n}", "urlFrom": {"secretKeyRef": {"name": "urls", "key": str(n)}}}
        for n in range(len(hosts))
    ]
    spec = {"image": "shop:1", "databases": databases, "retry": {"limit": 3, "backoffSeconds": 10}}
    body = {"metadata": {"name": "shop", "uid": "1", "generation": 1}, "spec": spec}
    urls = {str(n): f"postgresql://u:p@{host}/d" for n, host in enumerate(hosts)}
    return Intake("it", body, Sources({"urls": urls}), None, has_own_pauses=has_own_pauses)


def pause(given):
    return with_short_pauses(given, check_sources(given)).resource["spec"]["retry"]


def test_the_pauses_are_short_only_where_all_are_here_and_the_resource_says_nothing():
    assert pause(intake("localhost", "127.0.0.1")) == {"limit": 3, "backoffSeconds": 1}
    assert pause(intake("localhost", "db.example.com"))["backoffSeconds"] == 10
    assert pause(intake("localhost", has_own_pauses=True))["backoffSeconds"] == 10
