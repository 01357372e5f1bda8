"""Signing in by the command line, and what a failure looks like: one sentence, the fields, an exit code."""

import json
import stat
import time

from infra.signin import load_session, save_session, session_file
from tests.infra.conftest import BUYER


def test_login_keeps_a_session_that_only_its_owner_reads(dougong, services):
    result = dougong("login", BUYER)
    assert result.exit_code == 0
    assert "Signed in as 李梅 for 京垣建设" in result.stdout
    assert stat.S_IMODE(session_file().stat().st_mode) == 0o600
    assert services.asked("POST", "/members/sessions")[0].json == {"email": BUYER, "password": "buyer password"}


def test_login_asks_a_stranger_for_the_password_and_never_prints_it(dougong, services):
    result = dougong("login", "li@else.example", stdin="my own password\n")
    assert result.exit_code == 0
    assert services.asked("POST", "/members/sessions")[0].json["password"] == "my own password"
    assert "my own password" not in result.output


def test_a_refusal_prints_its_sentence_and_fields_and_no_traceback(dougong, services):
    problem = {
        "code": "SignInRefused",
        "detail": "E-mail or password is wrong.",
        "errors": [{"field": "password", "rule": "Wrong", "message": "does not fit"}],
    }
    services.on("POST", "/members/sessions", (401, problem))
    result = dougong("login", BUYER)
    assert result.exit_code == 1
    assert "SignInRefused: E-mail or password is wrong." in result.stderr
    assert "password: does not fit" in result.stderr
    assert "Traceback" not in result.output


def test_a_refusal_for_machines_is_json_on_standard_output(dougong, services):
    services.on("POST", "/members/sessions", (401, {"code": "SignInRefused", "detail": "no"}))
    result = dougong("login", BUYER, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "SignInRefused"


def test_a_service_that_is_away_gives_exit_code_three(dougong, data_dir, monkeypatch):
    file = data_dir / "credentials.json"
    known = json.loads(file.read_text())
    known["addresses"] = dict.fromkeys(known["addresses"], "http://127.0.0.1:9")
    file.write_text(json.dumps(known))
    result = dougong("login", BUYER)
    assert result.exit_code == 3
    assert "members does not answer at http://127.0.0.1:9" in result.stderr


def test_without_a_session_the_way_to_one_is_told(dougong):
    result = dougong("whoami")
    assert result.exit_code == 1
    assert "dougong login" in result.stderr


def test_a_sign_in_that_is_not_there_names_those_that_are(dougong):
    result = dougong("whoami", "--as", "nobody@else.example")
    assert result.exit_code == 2
    assert BUYER in result.stderr


def test_a_session_at_its_end_is_renewed_once_and_the_new_refresh_token_kept(dougong, services):
    dougong("login", BUYER)
    session = load_session(session_file())
    session.ends_at = time.time() - 1
    save_session(session, session_file())
    services.on(
        "POST",
        "/members/sessions/refresh",
        (200, {"access_token": "token-2", "refresh_token": "refresh-2", "expires_in": 600}),
    )
    services.on("GET", "/members/me", (200, {"name": "李梅", "email": BUYER, "company": None}))
    result = dougong("whoami")
    assert result.exit_code == 0
    assert services.asked("GET", "/members/me")[0].headers["authorization"] == "Bearer token-2"
    assert load_session(session_file()).refresh_token == "refresh-2"
    dougong("whoami")
    assert len(services.asked("POST", "/members/sessions/refresh")) == 1


def test_logout_forgets_the_session_even_when_the_service_is_done_with_it(dougong, services):
    dougong("login", BUYER)
    services.on("DELETE", "/members/sessions/current", (401, {"code": "TokenInvalid", "detail": "over"}))
    assert dougong("logout").exit_code == 0
    assert not session_file().exists()


def test_the_exit_codes_are_in_the_help(dougong):
    said = dougong("--help").stdout
    for part in ("0 done", "1 refused", "2 wrong usage", "3 a service does not answer", "4 done in part"):
        assert part in " ".join(said.split())
