"""Passwords and keys: only their owner reads them, none is the same twice, the environment's word counts."""

import stat

from infra.credentials import Client, Credentials, new_password, new_secret
from infra.databases import _external_urls
from infra.foundation import complete
from infra.instance import Instance
from infra.postgres import SERVICES, ServiceUrls


def test_the_file_is_readable_by_its_owner_alone_and_comes_back_as_it_was(tmp_path):
    file = tmp_path / "inner" / "credentials.json"
    credentials = Credentials()
    complete(credentials, environment={})
    credentials.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Credentials.load(file) == credentials
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_no_two_installations_share_a_password_or_secret():
    assert len({new_password() for _ in range(50)} | {new_secret() for _ in range(50)}) == 100


def test_completing_twice_changes_nothing():
    credentials = Credentials()
    assert complete(credentials, environment={})
    before = credentials.model_copy(deep=True)
    assert not complete(credentials, environment={})
    assert credentials == before


def test_the_environment_says_the_secrets_of_containers_and_nothing_is_made_up():
    environment = {f"{name}_CLIENT_SECRET": "s" * 40 for name in ("MEMBERS", "CATALOG", "SUPPLIERS", "ORDERS")}
    credentials = Credentials()
    assert not complete(credentials, environment={**environment, "DOUGONG_OPERATOR_PASSWORD": "a long password"})
    assert credentials.services["orders"] == Client(client_id="dougong-orders", client_secret="s" * 40)
    assert credentials.operator is not None
    assert credentials.operator.password == "a long password"


def test_every_setting_of_a_service_carries_its_prefix(tmp_path):
    instance = Instance(data_dir=tmp_path, port_base=9300)
    urls = ServiceUrls(owner="postgresql://o@/x", app="postgresql://a@/x", worker="postgresql://w@/x")
    environment = instance.environment("orders", urls, client=("dougong-orders", "secret"))
    assert all(name.startswith("ORDERS_") for name in environment)
    assert environment["ORDERS_DATABASE_URL"] == urls.app
    assert environment["ORDERS_SYSTEM_DATABASE_URL"] == urls.worker
    assert environment["ORDERS_SUPPLIERS_URL"] == "http://127.0.0.1:9303"
    assert urls.owner not in environment.values()


def test_a_server_given_by_url_gets_roles_with_passwords_that_stay(tmp_path):
    admin = "postgresql://postgres:top@db.example:5433/postgres?sslmode=require"
    first = {service: _external_urls(service, admin, tmp_path, {}) for service in SERVICES}
    again = {service: _external_urls(service, admin, tmp_path, {}) for service in SERVICES}
    assert first == again
    assert first["orders"].app.startswith("postgresql://orders_app:")
    assert first["orders"].app.endswith("@db.example:5433/orders?sslmode=require")
    assert stat.S_IMODE((tmp_path / "role-passwords.json").stat().st_mode) == 0o600


def test_a_role_named_in_the_environment_is_taken_as_it_is(tmp_path):
    named = {
        f"ORDERS_{name}": f"postgresql://x:y@z/{name}"
        for name in ("OWNER_DATABASE_URL", "DATABASE_URL", "SYSTEM_DATABASE_URL")
    }
    urls = _external_urls("orders", "postgresql://postgres@z/postgres", tmp_path, named)
    assert urls.owner == named["ORDERS_OWNER_DATABASE_URL"]
    assert not (tmp_path / "role-passwords.json").exists()
