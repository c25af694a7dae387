"""Tests that all problems of the settings are reported at once, by variable and without values."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.support.addresses import Proxy, is_loopback
from bot.support.environment import read_secret_file
from bot.support.settings import REMOVED_SETTINGS, VARIABLES, Settings, read_settings
from bot.support.settings.database import list_passwords

KEY = Fernet.generate_key().decode()
GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-canary-1",
    "SLACK_SIGNING_SECRET": "canary-signing",
    "USHER_ENCRYPTION_KEYS": KEY,
    "USHER_CONNECTIONS": "connections.toml",
}


@pytest.fixture
def environment(monkeypatch):
    def put(**changes):
        for name in (*VARIABLES, "CREDENTIALS_DIRECTORY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**GOOD, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)

    return put


def test_ports_are_several_only_where_nobody_is_led_to_one(environment):
    """A second Usher on a machine uses the next port, unless a proxy or browser relies on this one."""
    socket = {"SLACK_SIGNING_SECRET": None, "SLACK_APP_TOKEN": "xapp-1", "USHER_PUBLIC_URL": None}
    for changes, ports in (
        (socket, range(3000, 3010)),
        ({**socket, "PORT": "3100"}, range(3100, 3101)),
        ({**socket, "USHER_PUBLIC_URL": "http://localhost:3001"}, range(3001, 3002)),
        ({**socket, "USHER_PUBLIC_URL": "https://usher.example.org"}, range(3000, 3001)),
        ({"USHER_PUBLIC_URL": None}, range(3000, 3001)),
    ):
        environment(**changes)
        assert read_settings().settings.ports() == ports


def problems() -> list[str]:
    return read_settings().problems


def load_settings() -> Settings:
    reading = read_settings()
    assert reading.problems == []
    return reading.settings


OVER_HTTPS = {"USHER_PUBLIC_URL": "https://usher.example"}


def test_all_problems_come_at_once_without_values(environment):
    environment(
        SLACK_BOT_TOKEN="canary-wrong",
        USHER_ENCRYPTION_KEYS="canary-key",
        USHER_CONNECTIONS=None,
        PORT="canary-port",
        USHER_PUBLIC_URL="http://canary.example",
        USHER_PAGE_URL="http://canary.example",
    )
    found = problems()
    text = "\n".join(found)
    for name in (
        "SLACK_BOT_TOKEN",
        "USHER_ENCRYPTION_KEYS",
        "USHER_CONNECTIONS",
        "PORT",
        "USHER_PUBLIC_URL",
        "USHER_PAGE_URL",
    ):
        assert f"{name}: " in text
    assert "USHER_CONNECTIONS: is not set" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SLACK_SIGNING_SECRET": None}, "SLACK_APP_TOKEN"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "wrong"}, "xapp-"),
        ({"SLACK_CLIENT_ID": "1.2"}, "belong together"),
        ({"USHER_DATABASE_URL": "mysql://x"}, "or postgresql://"),
        ({"USHER_DATABASE_URL": "sqlite:///"}, "sqlite:///PATH"),
        ({"USHER_ADMINS": "olivia"}, "Slack users or groups"),
        ({"USHER_SLACK_WORKSPACES": "T1,acme"}, "ids of Slack workspaces"),
        ({"USHER_COMMAND": "workspace"}, "slash command"),
        ({"USHER_JOB_COMMAND": "Job"}, "slash command"),
        ({"USHER_JOB_COMMAND": "/workspace"}, "its own name"),
        ({"USHER_COMMAND": "/job"}, "its own name"),
        ({"USHER_PUBLIC_URL": "https://usher.example/path"}, "without a path"),
        ({"USHER_PUBLIC_URL": "https://user:pw@usher.example"}, "a name or password"),
        ({"USHER_PAGE_URL": "https://pages.usher.example/path"}, "without a path"),
        ({"USHER_PAGE_URL": "https://pages.usher.example", "USHER_PUBLIC_URL": None}, "the scheme of"),
        ({**OVER_HTTPS, "USHER_PAGE_URL": "http://pages.localhost:3000"}, "the scheme of"),
        ({**OVER_HTTPS, "USHER_PAGE_URL": "https://usher.example:8443"}, "another host name"),
        ({**OVER_HTTPS, "USHER_PAGE_URL": "https://USHER.example"}, "another host name"),
        ({"USHER_SLACK_API_URL": "http://slack.example/api/"}, "begin with https://"),
        ({"USHER_LOG_LEVEL": "loud"}, "USHER_LOG_LEVEL"),
        ({"SLACK_BOT_TOKEN": "env:ABSENT_VARIABLE"}, "ABSENT_VARIABLE"),
        ({"SLACK_BOT_TOKEN": "file:/nowhere/secret"}, "the file /nowhere/secret, which can't be read"),
        ({"USHER_DATABASE_URL": "postgresql://u:can@ry@h/db"}, "percent-encode the password"),
        ({"USHER_DATABASE_URL": "postgresql://u:can/ary@h/db"}, "percent-encode the password"),
        ({"USHER_DATABASE_URL": "postgresql://h:port/db"}, "a port that is a number"),
        ({"USHER_DATABASE_URL": "postgresql://<host>/db"}, "name or address of the server"),
    ],
)
def test_each_problem_is_named(environment, changes, named):
    environment(**changes)
    assert named in "\n".join(problems())


SEVERAL = {"SLACK_BOT_TOKEN": None, "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "canary-3"}


def test_several_workspaces_need_an_address_and_their_names(environment):
    environment(**SEVERAL, USHER_PUBLIC_URL=None, USHER_ADMINS="T1:U1,U2")
    assert [one.split()[0] for one in problems()] == ["USHER_PUBLIC_URL", "USHER_SLACK_WORKSPACES"]
    right = {"USHER_PUBLIC_URL": "https://usher.example.org", "USHER_ADMINS": "T1:U1,E1:W2"}
    # Whether everybody may install Usher has to be set, as it is never assumed.
    for named, ids in (("*", {"*"}), ("T1, E1", {"T1", "E1"}), ("T1, *", {"T1", "*"})):
        environment(**SEVERAL, **right, USHER_SLACK_WORKSPACES=named)
        assert load_settings().workspace_ids() == ids


@pytest.mark.parametrize("workspaces", ["T1", "T1, E1", " T1,*"])
def test_ids_alone_administer_all_from_the_first_workspace(environment, workspaces):
    environment(**SEVERAL, **OVER_HTTPS, USHER_ADMINS="U2, E1:U3,S4", USHER_SLACK_WORKSPACES=workspaces)
    made = load_settings()
    assert (made.admin_ids(), made.global_admin_ids()) == ({"E1:U3"}, {"T1:U2", "T1:S4"})


@pytest.mark.parametrize("workspaces", ["*", "*,T1"])
def test_ids_alone_need_a_first_workspace(environment, workspaces):
    environment(**SEVERAL, **OVER_HTTPS, USHER_ADMINS="U2", USHER_SLACK_WORKSPACES=workspaces)
    (problem,) = problems()
    assert "put yours before the *" in problem
    environment(**SEVERAL, **OVER_HTTPS, USHER_ADMINS="T1:U2", USHER_SLACK_WORKSPACES=workspaces)
    assert problems() == []


def test_with_a_bot_token_ids_alone_are_of_its_workspace(environment):
    environment(USHER_ADMINS="U2,T1:U3")
    made = load_settings()
    assert (made.admin_ids(), made.global_admin_ids()) == ({"U2", "T1:U3"}, frozenset())


def test_what_belongs_together_is_checked_beside_what_is_wrong_by_itself(environment):
    environment(SLACK_BOT_TOKEN=None, SLACK_SIGNING_SECRET=None, SLACK_CLIENT_ID="1.2", USHER_COMMAND="/job")
    text = "\n".join(problems())
    for named in ("SLACK_BOT_TOKEN: is not set", "SLACK_APP_TOKEN", "belong together", "its own name"):
        assert named in text
    # A wrong value is present, so it isn't reported as missing, too.
    environment(SLACK_SIGNING_SECRET=None, SLACK_APP_TOKEN="wrong")
    assert len(problems()) == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("USHER_ADMIN", "USHER_ADMINS"),
        ("USHER_PUBLIC_URI", "USHER_PUBLIC_URL"),
        ("usher_admins", "USHER_ADMINS"),
        ("Slack_Client_Id", "SLACK_CLIENT_ID"),
        ("SLACK_CLIENT_SECRTE", "SLACK_CLIENT_SECRET"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(environment, monkeypatch, name, meant):
    environment()
    monkeypatch.setenv(name, "canary")
    assert problems() == [f"{name}: there is no such setting. Did you mean {meant}?"]
    monkeypatch.setenv(name, "")
    assert load_settings()


def test_a_variable_that_a_secret_is_read_from_is_no_setting(environment, monkeypatch, tmp_path):
    connections = tmp_path / "connections.toml"
    connections.write_text('[connections.saturn]\nadmin_token = "env:USHER_ADMIN"\n')
    environment(SLACK_BOT_TOKEN="env:SLACK_BOT_TOKENS", USHER_CONNECTIONS=str(connections))
    monkeypatch.setenv("USHER_ADMIN", "canary")
    monkeypatch.setenv("SLACK_BOT_TOKENS", "xoxb-1")
    assert read_settings().unknown == []
    assert load_settings().slack_bot_token.get_secret_value() == "xoxb-1"


def test_removed_settings_are_named_and_no_settings_any_more(environment, monkeypatch, tmp_path):
    assert REMOVED_SETTINGS.keys().isdisjoint(VARIABLES)
    for name in REMOVED_SETTINGS:
        monkeypatch.setenv(name, "canary")
    environment()
    reading = read_settings()
    assert (reading.removed, reading.unknown, reading.problems) == (sorted(REMOVED_SETTINGS), [], [])
    monkeypatch.setenv("USHER_PERSON_RATE", "")
    environment(SLACK_BOT_TOKEN="env:USHER_UNWARNED_HOURS", USHER_UNWARNED_HOURS="xoxb-1")
    assert read_settings().removed == sorted(
        REMOVED_SETTINGS.keys() - {"USHER_PERSON_RATE", "USHER_UNWARNED_HOURS"}
    )


def test_what_is_right_can_be_used_beside_what_is_wrong(environment):
    environment(SLACK_BOT_TOKEN="canary", PORT="x", USHER_ADMINS="U1", USHER_ENCRYPTION_KEYS=None)
    reading = read_settings()
    assert reading.wrong == {"SLACK_BOT_TOKEN", "PORT", "USHER_ENCRYPTION_KEYS"}
    assert (reading.settings.admin_ids(), reading.settings.port) == ({"U1"}, 3000)
    assert len(reading.problems) == 3


def test_socket_mode_needs_no_signing_secret(environment):
    environment(SLACK_SIGNING_SECRET=None, SLACK_APP_TOKEN="xapp-1")
    assert load_settings().slack_signing_secret is None


def test_secret_files(environment, tmp_path):
    file = tmp_path / "token"
    file.write_text("xoxb-from-file\n")
    file.chmod(0o600)
    environment(SLACK_BOT_TOKEN=f"file:{file}")
    assert load_settings().slack_bot_token.get_secret_value() == "xoxb-from-file"
    file.chmod(0o640)
    assert "chmod 600" in "\n".join(problems())
    with pytest.raises(ValueError, match="chmod 600"):
        read_secret_file(file)


def test_credentials_come_from_the_folder_that_the_service_manager_names(environment, tmp_path):
    file = tmp_path / "bot_token"
    file.write_text("xoxb-from-credential\n")
    # With systemd's access list, the mode looks as if a group could read it, though only the service can.
    file.chmod(0o440)
    environment(SLACK_BOT_TOKEN="credential:bot_token", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert load_settings().slack_bot_token.get_secret_value() == "xoxb-from-credential"
    file.chmod(0o460)
    assert "can write" in "\n".join(problems())
    environment(SLACK_BOT_TOKEN="credential:../bot_token", CREDENTIALS_DIRECTORY=str(tmp_path / "other"))
    assert "only its name" in "\n".join(problems())
    environment(SLACK_BOT_TOKEN="credential:bot_token", CREDENTIALS_DIRECTORY=None)
    assert "CREDENTIALS_DIRECTORY is not set" in "\n".join(problems())


def test_a_key_beside_the_database_is_refused(environment, tmp_path):
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    environment(USHER_ENCRYPTION_KEYS=f"file:{key}", USHER_DATABASE_URL=f"sqlite:///{tmp_path}/usher.db")
    assert "in the database's folder" in "\n".join(problems())
    environment(USHER_ENCRYPTION_KEYS=f"file:{key}", USHER_DATABASE_URL="sqlite:///elsewhere/usher.db")
    assert load_settings().keys() == [KEY]


def test_public_address_is_an_origin(environment):
    environment(USHER_PUBLIC_URL="https://Usher.example/")
    assert load_settings().public_url == "https://usher.example"
    environment(USHER_PUBLIC_URL="http://127.0.0.1:3000")
    assert load_settings().public_url == "http://127.0.0.1:3000"
    environment(USHER_PUBLIC_URL="", USHER_PAGE_URL="")
    assert (load_settings().public_url, load_settings().page_url) == (None, None)
    environment(USHER_PUBLIC_URL="https://usher.example", USHER_PAGE_URL="https://Pages.Usher.example/")
    assert load_settings().page_url == "https://pages.usher.example"


def test_repr_holds_no_secret(environment):
    environment(USHER_METRICS_TOKEN="canary-of-metrics", USHER_DATABASE_URL="postgresql://u:canary@db/usher")
    settings = load_settings()
    assert "canary" not in repr(settings)
    assert {"xoxb-canary-1", KEY, "canary-of-metrics", "canary"} <= set(settings.secrets())


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.8.8.8", True), ("::1", True), ("10.0.0.1", False), ("localhost.evil", False)],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://u:p#a?s@h:5/db?application_name=a@b", {"p#a?s"}),
        ("postgresql://h/db?user=u@acme&password=pa%40ss", {"pa%40ss", "pa@ss"}),
        ("postgresql:///db?host=/run/postgresql", set()),
    ],
)
def test_what_libpq_takes_for_a_password_is_kept_out_of_logs_and_whatever_it_reads_right_is_accepted(
    environment, url, secrets
):
    environment(USHER_DATABASE_URL=url)
    assert set(load_settings().secrets()) >= secrets
    assert set(list_passwords(url)) == secrets


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "SLACK_CLIENT_SECRET"])
@pytest.mark.parametrize(
    "value",
    [
        "xoxb-canary-1",
        "xapp-1-A1-canary",
        "xoxe.xoxp-1-canary",
        "https://canary.example",
        "<canary>",
        "can ary",
        "/etc/usher/secrets/canary",
        "a-key-that-ends-as-base64-does=",
    ],
)
def test_what_cant_be_a_secret_is_refused_by_its_name(environment, name, value):
    environment(**{name: value})
    (problem,) = [one for one in problems() if "belong together" not in one]
    assert problem.startswith(f"{name}: needs the ")
    assert value not in problem


@pytest.mark.parametrize("value", ["A0123ABCD", "12.", "1.2.3", "client", "xoxb-1"])
def test_what_cant_be_a_client_id_is_refused_by_its_name(environment, value):
    environment(SLACK_CLIENT_ID=value, SLACK_CLIENT_SECRET="canary")
    (problem,) = problems()
    assert problem.startswith("SLACK_CLIENT_ID: needs the client id")


@pytest.mark.parametrize("name", ["USHER_PUBLIC_URL", "USHER_PAGE_URL", "USHER_SLACK_API_URL", "HTTPS_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        "https://h:port",
        "https://h:99999",
        "https://h:0",
        "https://a..b",
        "https://<your host>",
        "ftp://h",
        "https://",
    ],
)
def test_what_cant_be_an_address_is_refused_by_its_name(environment, name, value):
    environment(**{name: value})
    (problem,) = problems()
    assert problem.startswith(f"{name}: ")


@pytest.mark.parametrize("value", ["0.0.0.0:3000", "http://0.0.0.0", "[::]", "256.1.1.1", "a b", ":3000"])
def test_what_cant_be_listened_on_is_refused_by_its_name(environment, value):
    environment(USHER_HOST=value)
    (problem,) = problems()
    assert problem.startswith("USHER_HOST: needs an address or a name of this machine")


@pytest.mark.parametrize("value", ["::", "::1", "0.0.0.0", "localhost", "fe80::1%eth0", "usher.internal"])
def test_each_form_of_an_address_to_listen_on_is_taken(environment, value):
    environment(USHER_HOST=value)
    assert load_settings().host == value


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@a:1,b:2/db",
        "postgresql://[::1]:5432/db",
        "postgresql://%2Frun%2Fpostgresql/db",
        "postgresql://",
        "postgres://h",
    ],
)
def test_each_form_of_a_database_server_is_taken(environment, url):
    environment(USHER_DATABASE_URL=url)
    assert load_settings().database_url == url


@pytest.mark.parametrize("token", ["short", "with blanks in the middle", "canary-of-metrics\u00e9"])
def test_a_token_for_figures_is_one_that_can_be_sent_and_not_guessed(environment, token):
    environment(USHER_METRICS_TOKEN=token)
    (problem,) = problems()
    assert problem.startswith("USHER_METRICS_TOKEN: needs 16 or more letters")
    assert "canary" not in problem


#: A valid value of each setting whose default can't be written in a file.
VALUES = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRET": "signing",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "secret",
    "USHER_ENCRYPTION_KEYS": KEY,
    "USHER_CONNECTIONS": "connections.toml",
    "USHER_PUBLIC_URL": "https://usher.example",
    "USHER_PAGE_URL": "https://pages.example",
    "USHER_ADMINS": "U0123",
    "USHER_GLOBAL_ADMINS": "T0123:U0123",
    "USHER_SLACK_WORKSPACES": "T0123",
    "USHER_METRICS_TOKEN": "0123456789abcdef",
    "USHER_BACKUPS": "/backups",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "NO_PROXY": "localhost",
}
BLANKS = [" ", "\r", "\r\n", "\t", "\u00a0", "\u2028", "\ufeff", "\u200b"]


def value_of(name):
    return VALUES.get(name) or str(VARIABLES[name].default).lower()


def plain(settings):
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings.model_dump().items()
    }


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_blanks_around_any_value_are_cut_off(environment, blank):
    environment(**{name: value_of(name) for name in VARIABLES})
    written = load_settings()
    environment(**{name: f"{blank}{value_of(name)}{blank}" for name in VARIABLES})
    assert plain(load_settings()) == plain(written)


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_blanks_around_a_referenced_value_are_cut_off(environment, monkeypatch, tmp_path, blank):
    (tmp_path / "url").write_text(f"{blank}sqlite:////one/usher.db{blank}")
    (tmp_path / "url").chmod(0o600)
    monkeypatch.setenv("ELSEWHERE", f"{blank}sqlite:////one/usher.db{blank}")
    for given in (
        "env:ELSEWHERE",
        f"env:{blank}ELSEWHERE",
        f"file:{tmp_path}/url",
        f"file:{blank}{tmp_path}/url",
    ):
        environment(USHER_DATABASE_URL=f"{given}{blank}")
        assert load_settings().database_url == "sqlite:////one/usher.db"


def test_variable_with_blanks_alone_is_unset(environment):
    environment(**dict.fromkeys(VARIABLES, " \r\n"))
    written = {name for name, field in VARIABLES.items() if field.is_required()} | {"SLACK_BOT_TOKEN"}
    assert {problem.partition(":")[0] for problem in problems() if "is not set" in problem} == written


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\ufeff\r\n"], ids=ascii)
@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "USHER_ENCRYPTION_KEYS"])
def test_empty_file_of_a_secret_is_refused(environment, tmp_path, name, text):
    (tmp_path / "secret").write_text(text)
    (tmp_path / "secret").chmod(0o600)
    environment(**{name: f"file:{tmp_path}/secret"})
    assert f"{name}: names the file {tmp_path}/secret, which is empty" in problems()


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "USHER_DATABASE_URL", "USHER_BACKUPS"])
def test_what_is_in_another_encoding_is_refused(environment, name):
    environment(**{name: b"canary-\xe9-1".decode(errors="surrogateescape")})
    assert f"{name}: has characters that aren't UTF-8" in read_settings().problems


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("SLACK_SIGNING_SECRET", "SLACK_CLIENT_SECRET"),
        ("SLACK_BOT_TOKEN", "USHER_METRICS_TOKEN"),
        ("USHER_METRICS_TOKEN", "USHER_ENCRYPTION_KEYS"),
    ],
)
def test_value_of_another_setting_is_refused(environment, name, other):
    value = {"SLACK_BOT_TOKEN": "xoxb-0123456789abcdef", "SLACK_SIGNING_SECRET": "canary"}.get(name, KEY)
    environment(**{"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "other", name: value, other: value})
    assert problems() == [f"{name} and {other} are the same: each has its own value"]


@pytest.mark.parametrize("end", [" # the usual one", "\t#1", ";", "\\n", "\\r\\n", "; "])
@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_remark_or_sign_behind_a_value_is_refused(environment, name, end):
    environment(**{name: f"{value_of(name)}{end}"})
    wrong = f"{name}: ends in a remark or a sign, which would be a part of it: remove that"
    assert wrong in read_settings().problems


@pytest.mark.parametrize("quotes", ['""', "''", "``", "“”", "\u2018\u2019"])
@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_quotes_around_a_value_are_refused(environment, name, quotes):
    environment(**{name: f" {quotes[0]}{value_of(name)}{quotes[1]} "})
    wrong = f"{name}: has quotes around it, which would be a part of it: remove them"
    assert wrong in problems()


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "USHER_ADMINS", "NO_PROXY", "USHER_CONNECTIONS"])
@pytest.mark.parametrize("before", ["{}=", "export {}=", "SLACK_TOKEN="])
def test_line_of_a_file_of_settings_is_no_value(environment, name, before):
    environment(**{name: before.format(name) + "abc"})
    wrong = f"{name}: begins with the name of a setting: leave that out, and write the value alone"
    assert wrong in read_settings().problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("USHER_DATABASE_URL", "sqlite:///usher.db?mode=ro"),
        ("USHER_DATABASE_URL", "sqlite:///file:/var/usher.db"),
        ("USHER_DATABASE_URL", "sqlite:///~/usher.db"),
        ("USHER_BACKUPS", "~/backups"),
        ("USHER_BACKUPS", "s3://bucket/backups"),
        ("USHER_BACKUPS", "env:BACKUP_FOLDER"),
        ("USHER_BACKUPS", "file:backups"),
        ("NO_PROXY", "a.example.org b.example.org"),
        ("NO_PROXY", "a.example.org; b.example.org"),
    ],
)
def test_what_cant_be_a_path_or_a_list_is_refused_by_its_name(environment, name, value):
    environment(**{name: value})
    assert [problem for problem in read_settings().problems if problem.startswith(f"{name}: needs ")]


def test_quotes_within_a_value_are_its_own(environment):
    environment(USHER_DATABASE_URL="sqlite:////o'brien's/\"usher\"")
    assert load_settings().database_url == "sqlite:////o'brien's/\"usher\""


@pytest.mark.parametrize(
    ("upper", "proxy"),
    [
        ({}, "http://lower.example:3128"),
        ({"HTTPS_PROXY": " "}, "http://lower.example:3128"),
        ({"HTTPS_PROXY": "upper.example:80"}, "http://upper.example:80"),
    ],
    ids=["lower", "blank", "both"],
)
def test_proxy_may_be_set_in_lower_case(environment, monkeypatch, upper, proxy):
    environment(**upper)
    monkeypatch.setenv("https_proxy", "http://lower.example:3128")
    monkeypatch.setenv("no_proxy", "hub.example")
    assert load_settings().proxy() == Proxy(proxy, "hub.example")
