"""WeChat's side of a login: codes that work once, tokens that end."""

import json
from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Sandbox

APP = {"appid": "wx-sandbox", "secret": "wx-secret"}
LOGIN = APP | {"grant_type": "authorization_code"}
TOKEN = APP | {"grant_type": "client_credential"}


def _login(sandbox: Sandbox, **asked: str) -> dict[str, object]:
    return sandbox.http.get("/sns/jscode2session", params=LOGIN | asked).json()


def _token(sandbox: Sandbox) -> str:
    return sandbox.http.get("/cgi-bin/token", params=TOKEN).json()["access_token"]


def _phone(sandbox: Sandbox, token: str, code: str) -> dict[str, object]:
    answer = sandbox.http.post(
        "/wxa/business/getuserphonenumber", params={"access_token": token}, json={"code": code}
    )
    return answer.json()


def _register(sandbox: Sandbox, **code: str) -> None:
    assert sandbox.http.post("/wechat/codes", json=[code]).status_code == 201


def test_a_login_code_works_once(sandbox: Sandbox, fresh: Callable[[], str]) -> None:
    code = f"login-{fresh()}"
    _register(sandbox, code=code, openid="o-1", unionid="u-1")
    session = _login(sandbox, js_code=code)
    assert (session["openid"], session["unionid"]) == ("o-1", "u-1")
    assert session["session_key"]
    assert _login(sandbox, js_code=code)["errcode"] == 40029


@pytest.mark.parametrize(
    ("asked", "errcode"),
    [
        ({"appid": "", "js_code": "x"}, 41002),
        ({"secret": "", "js_code": "x"}, 41004),
        ({"js_code": ""}, 41008),
        ({"appid": "wx-other", "js_code": "x"}, 40013),
        ({"secret": "wrong", "js_code": "x"}, 40125),
        ({"grant_type": "password", "js_code": "x"}, 40002),
        ({"js_code": "never-handed-out"}, 40029),
    ],
)
def test_a_wrong_login_says_what_is_wrong(
    sandbox: Sandbox, asked: dict[str, str], errcode: int
) -> None:
    assert _login(sandbox, **asked)["errcode"] == errcode


def test_a_phone_button_gives_the_number_once(sandbox: Sandbox, fresh: Callable[[], str]) -> None:
    code = f"phone-{fresh()}"
    _register(sandbox, code=code, openid="o-2", phone="13800000002")
    assert _login(sandbox, js_code=code)["errcode"] == 40029
    got = _phone(sandbox, _token(sandbox), code)
    assert got["errcode"] == 0
    info = got["phone_info"]
    assert isinstance(info, dict)
    assert info["purePhoneNumber"] == "13800000002"
    assert _phone(sandbox, _token(sandbox), code)["errcode"] == 40029


def test_a_stable_token_serves_as_well_as_the_other(sandbox: Sandbox) -> None:
    answer = sandbox.http.post("/cgi-bin/stable_token", json=TOKEN | {"force_refresh": False})
    assert answer.json()["expires_in"] == 7200
    assert _phone(sandbox, answer.json()["access_token"], "none")["errcode"] == 40029


def test_a_token_that_is_not_ours_is_refused(sandbox: Sandbox) -> None:
    assert _phone(sandbox, "", "x")["errcode"] == 41001
    assert _phone(sandbox, "1999999999_" + "0" * 64, "x")["errcode"] == 40001


def test_a_killed_wechat_knows_which_codes_are_spent(own_sandbox: Sandbox) -> None:
    own_sandbox.settings["SANDBOX_WECHAT_TOKEN_TTL_S"] = "0"
    own_sandbox.start()
    _register(own_sandbox, code="spent", openid="o-3")
    _register(own_sandbox, code="good", openid="o-4")
    assert _login(own_sandbox, js_code="spent")["openid"] == "o-3"
    own_sandbox.kill()
    own_sandbox.start()
    assert _login(own_sandbox, js_code="spent")["errcode"] == 40029
    assert _login(own_sandbox, js_code="good")["openid"] == "o-4"
    log = [json.loads(text) for text in own_sandbox.http.get("/wechat/log").text.splitlines()]
    assert [(call["code"], call["errcode"]) for call in log] == [
        ("spent", 0),
        ("spent", 40029),
        ("good", 0),
    ]
