"""What is known to be secret is found however it is written; what looks like a credential is hidden anyway."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headway_contract import masking
from headway_contract.masking import MASK, Masker, secrets_in

ODD = "c4Nary p@ss/w:rd%'\"\\é+z"


def masker(*secrets, names=()):
    made = Masker()
    made.learn(*secrets)
    made.show(*names)
    return made


WRITTEN = {
    "as it is": ODD,
    "in a URL": quote(ODD, safe=""),
    "in a URL as SQLAlchemy writes it": quote(ODD, safe=" +"),
    "with small hexadecimal digits": quote(ODD, safe="").lower().replace("c4nary", "c4Nary"),
    "in a query": quote_plus(ODD),
    "encoded twice": quote(quote(ODD, safe=""), safe=""),
    "in a file for ConfigParser": quote(ODD, safe="").replace("%", "%%"),
    "in Python": repr(ODD),
    "in Python, twice": repr(repr(ODD)),
    "in ASCII": ascii(ODD),
    "as bytes": repr(ODD.encode()),
    "in JSON": json.dumps(ODD),
    "in JSON within JSON": json.dumps(json.dumps(ODD)),
    "in a DSN": "'" + ODD.replace("\\", "\\\\").replace("'", "\\'") + "'",
    "in SQL": "'" + ODD.replace("'", "''") + "'",
    "in base64": base64.b64encode(ODD.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(ODD.encode()).decode(),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_known_secret_is_hidden_however_it_is_written(written):
    told = masker(ODD).mask(f"env.py said <{written}> and went on")
    assert MASK in told
    assert "c4Nary" not in told
    assert base64.b64encode(ODD.encode()).decode()[:8] not in told
    assert told.startswith("env.py said <")
    assert told.endswith("> and went on")


SOURCES = {
    "postgresql://shop:c4Nary@db/shop": {"c4Nary"},
    "postgresql+asyncpg://shop:c4%40Nary@db/shop": {"c4%40Nary", "c4@Nary"},
    "postgresql://shop:c4@Na/ry@db/shop": {"c4@Na/ry"},
    "postgresql://db/shop?user=shop&password=c4%26Nary&sslmode=require": {"c4%26Nary", "c4&Nary"},
    "postgresql://db/shop?sslpassword=c4+Nary": {"c4+Nary", "c4 Nary"},
    "mysql+pymysql://db/shop?passwd=c4Nary": {"c4Nary"},
    "postgresql://db/shop?oauth_client_secret=c4Nary": {"c4Nary"},
    "host=db password=c4Nary user=shop": {"c4Nary"},
    "host=db password = 'c4 \\'Nary' user=shop": {"c4 'Nary"},
    '{"username": "shop", "password": "c4Nary"}': {"c4Nary"},
}


@pytest.mark.parametrize(("value", "secrets"), SOURCES.items(), ids=SOURCES)
def test_the_password_within_a_url_or_a_dsn_is_found(value, secrets):
    assert secrets <= set(secrets_in(value))
    made = Masker()
    made.learn_within(value)
    assert MASK in made.mask(f"it is {next(iter(secrets))}!")
    assert made.mask("shop on db with sslmode require") == "shop on db with sslmode require"


@pytest.mark.parametrize(
    "value",
    ["", "postgresql://db/shop", "sqlite:///shop.db", "host=db user=shop", "postgresql://shop@db/x@y"],
)
def test_where_there_is_no_password_none_is_found(value):
    assert list(secrets_in(value)) == []


SHAPES = [
    "could not connect to postgresql://shop:c4Nary@db/shop",
    "could not connect to postgresql://shop:c4@Na/ry:Nary@db/shop",
    "cloned https://c4Nary@git/shop",
    "dsn: host=db password=c4Nary user=shop",
    "dsn: password = 'a c4Nary' host=db",
    "dsn: password='it\\'s c4Nary' host=db",
    "connect(password='c4Nary', host='db')",
    '{"password": "c4Nary"}',
    "{'db_password': 'c4Nary'}",
    "PGPASSWORD=c4Nary psql",
    "MYSQL_PWD=c4Nary mysql",
    "host=db pass=c4Nary user=shop",
    "connect(pass = 'a c4Nary')",
    "DB_PASS=c4Nary ./migrate",
    "smtp-pass=c4Nary",
    "PGPASS=c4Nary psql",
    "ftp://files/?dbpass=c4Nary",
    "DB_PW='c4Nary'",
    "db/shop?sslmode=require&sslpassword=c4Nary",
    "https://vault/x?token=c4Nary",
    "Password: c4Nary",
    "Authorization: Basic c4Nary",
    '{"Authorization": "Bearer c4Nary"}',
    "Bearer 0123456789c4Nary0123",
    "db:5432/?Action=connect&X-Amz-Security-Token=c4Nary",
    "CREATE ROLE app_ro LOGIN PASSWORD 'a ''c4Nary'",
    "ALTER ROLE app_ro ENCRYPTED PASSWORD E'it\\'s c4Nary'",
    "op.execute('CREATE ROLE app_ro PASSWORD \\'c4Nary\\'')",
    "DO 'x'; CREATE ROLE app_ro PASSWORD $p$c4'Nary$p$",
    "OPTIONS (user 'shop', password 'c4Nary')",
    "ALTER ROLE app_ro PASSWORD 'c4Nary\\'",
    "CREATE USER shop IDENTIFIED BY 'c4Nary'",
]


@pytest.mark.parametrize("text", SHAPES)
def test_what_has_the_shape_of_a_credential_is_hidden_unknown_as_it_is(text):
    assert "Nary" not in Masker().mask(text)


HARMLESS = [
    'password authentication failed for user "shop"',
    "Access denied for user 'shop'@'localhost' (using password: YES)",
    "fe_sendauth: no password supplied",
    "Correct the Secret: postgresql://user:password@host:port/name, special characters percent-encoded.",
    'syntax error: unexpected token "x"',
    "password=None",
    "Can't locate revision identified by 'a1b2c3'",
    "ALTER ROLE app_ro PASSWORD NULL",
    "ALTER TABLE users ADD COLUMN password varchar DEFAULT 'x'",
    "the secret shop-main has no key uri",
    "PasswordMigration: column token does not exist",
    "after the first pass: 3 rows are left",
    "pass 2 of 3",
    "bypass=everything compass = north passes=12",
    "UPDATE exams SET pass = true",
    "CHECK (pass = 1 OR score < 50)",
    "CREATE INDEX ix ON gates (id) WHERE (by_pass = true)",
    "UPDATE t SET first_pass = NULL; ALTER TABLE t ALTER COLUMN x TYPE bigint",
    "max_pw=700 W",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_sentence_without_a_credential_stays_as_it_is(text):
    assert Masker().mask(text) == text


@pytest.mark.parametrize("column", ["password", "pass", "api_token"])
def test_a_statement_in_which_a_literal_is_hidden_is_still_that_statement(column):
    statement = f"UPDATE users SET {column} = 'c4Nary-77', seen = true WHERE id = 1"
    assert Masker().mask(statement) == f"UPDATE users SET {column} = '***', seen = true WHERE id = 1"


SECRET_NAMES = [
    "DB_PASSWORD",
    "DB_PASSWD",
    "DB_PASSPHRASE",
    "DB_PWD",
    "MYSQL_PWD",
    "DBPWD",
    "DB_PASS",
    "POSTGRES_PASS",
    "MYSQL_PASS",
    "SMTP_PASS",
    "PASS",
    "db-pass",
    "DBPASS",
    "PGPASS",
    "MYSQLPASS",
    "dbPass",
    "DB_PW",
    "DBPW",
    "API_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "GOOGLE_CREDENTIALS",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_variable_whose_name_says_that_it_is_secret_is_hidden(name):
    made = Masker()
    made.learn_variables({name: "c4Nary-77"})
    assert made.mask("cannot log in with c4Nary-77") == "cannot log in with ***"


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "BYPASS", "COMPASS", "DB_BYPASS", "PASSAGE", "PASS_COUNT", "PGPASSFILE", "SPW"]
)
def test_a_variable_whose_name_only_looks_like_it_is_shown(name):
    made = Masker()
    made.learn_variables({name: "/srv/warehouse"})
    assert made.mask("no revisions in /srv/warehouse") == "no revisions in /srv/warehouse"


def test_a_password_that_is_also_a_name_leaves_sentences_readable():
    made = masker("shop", names=["shop", "db"])
    assert made.mask('database "shop" does not exist') == 'database "shop" does not exist'
    assert made.mask("postgresql://shop:shop@db/shop") == "postgresql://***@db/shop"
    assert made.mask("user=shop password=shop") == "user=shop password=***"


def test_a_password_that_could_be_a_word_is_hidden_where_it_is_one_and_nowhere_else():
    made = masker("post", "postgres", "x7", "s3cr3t")
    assert made.mask("postgresql: post, postgres; posted") == "postgresql: ***, ***; posted"
    assert made.mask("with post_orders") == "with ***_orders"
    assert (
        made.mask("x7 is too short to be hidden, s3cr3t is not") == "x7 is too short to be hidden, *** is not"
    )


def test_a_secret_that_is_learnt_later_is_hidden_in_a_text_that_was_shown_before():
    made = masker("first-secret-1")
    assert made.mask("with second-secret-2") == "with second-secret-2"
    made.learn("second-secret-2")
    assert made.mask("with second-secret-2") == "with ***"


def test_a_name_that_is_learnt_later_is_shown_in_a_text_that_was_masked_before():
    made = masker("warehouse-main")
    assert made.mask("on warehouse-main") == "on ***"
    made.show("warehouse-main")
    assert made.mask("on warehouse-main") == "on warehouse-main"


def test_a_longer_password_is_hidden_wherever_it_stands():
    assert masker("c4Nary-77").mask("prec4Nary-77post") == "pre***post"
    assert masker("correcthorsebattery").mask("Xcorrecthorsebattery9") == "X***9"


SECRETS = st.lists(st.text(st.characters(codec="utf-8"), min_size=4, max_size=20), max_size=3)
TEXTS = st.one_of(st.text(max_size=60), st.text("abc:/@ '\"=*\\%password", max_size=80))


@given(SECRETS, TEXTS, TEXTS)
def test_masking_hides_every_long_secret_and_is_done_once(secrets, before, after):
    made = masker(*secrets)
    text = before + " ".join(secrets) + after
    told = made.mask(text)
    assert made.mask(told) == told
    for secret in secrets:
        if len(secret.strip()) >= 12 and secret.strip("* ") and not set(secret.strip()) & set("*"):
            assert secret.strip() not in told


@given(st.text(min_size=12, max_size=24), st.sampled_from([quote, quote_plus, repr, json.dumps, str]))
def test_any_secret_is_hidden_in_any_writing(secret, write):
    secret = secret.strip()
    assume(len(secret) >= 12 and "*" not in secret)
    assert MASK in masker(secret).mask("<" + write(secret) + ">")


@pytest.mark.parametrize(
    "part", ["a", "a.", "pass", "_pw ", "a-b ", "://", "password", "'", '"', "(", "%25", "\\", "://a:b"]
)
def test_a_very_long_text_is_masked_before_anybody_has_to_wait(part):
    made = masker(ODD, "c4Nary-77")
    assert made.mask(part * 5_000 + " c4Nary-77").endswith(" ***")


def test_many_repeated_marks_cost_no_time():
    made = masker("!" * 40 + "a", "'" * 40 + "a", "\\" * 40 + "a")
    assert made.mask("!" * 500 + "b" + "'" * 500 + "b" + "\\" * 500 + "b")


WORDS = [
    "bearer",
    "Bearer",
    "authorization",
    "password",
    "pwd",
    "pass",
    "db_pw",
    "token",
    "api_key",
    "x",
    "hunter2hunter2hunter2",
    "***",
]
MARKS = ["://", ":", "=", "@", " ", "\n", "\t", "'", '"', "/", "\\", ","]


@given(st.lists(st.sampled_from(WORDS + MARKS), max_size=12).map("".join))
def test_a_text_that_is_passed_over_has_nothing_that_a_shape_would_hide(text):
    if not masking._MAY_HAVE_A_SHAPE.search(text):
        assert not any(shape.search(text) for shape in (masking._NAMED, masking._BEARER, masking._USER_INFO))
