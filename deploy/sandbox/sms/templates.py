"""Approved signatures and templates, and how a text is made of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Annotated, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from deploy.sandbox.books import Book

VARIABLE = re.compile(r"\$\{(\w+)\}", re.ASCII)
LINKS = ("http://", "https://", "www.")
VARIABLE_CHARS_MAX = 35
ONE_PART_CHARS = 70
LONG_PART_CHARS = 67
_PARAMS = msgspec.json.Decoder(dict[str, str])

Sign = Annotated[str, StringConstraints(pattern=r"^[^【】\d][^【】]{1,15}$")]
Code = Annotated[str, StringConstraints(pattern=r"^SMS_[0-9A-Z_]{1,60}$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^【】]+$", max_length=500)]


class SmsRefused(Exception):
    """The provider refuses the call; nothing of it is sent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Approved(BaseModel):
    """What the provider has approved: signatures, and templates by their code."""

    model_config = ConfigDict(extra="forbid")

    signs: list[Sign] = Field(default_factory=list[Sign])
    templates: dict[Code, Text] = Field(default_factory=dict[Code, Text])

    @model_validator(mode="after")
    def _texts_are_approvable(self) -> Self:
        for code, text in self.templates.items():
            if "}${" in text:
                raise ValueError(f"{code}: two variables stand side by side")
            if not VARIABLE.sub("", text).strip():
                raise ValueError(f"{code}: the text is nothing but variables")
        return self


class Templates:
    def __init__(self, first: Path, registered: Path) -> None:
        self._registered = Book(registered)
        self._signs: set[str] = set()
        self._texts: dict[str, str] = {}
        self._pieces: dict[str, list[str]] = {}
        self._take(Approved.model_validate_json(first.read_bytes()))
        for _, line in self._registered.lines():
            self._take(Approved.model_validate_json(line))

    async def register(self, more: Approved) -> Approved:
        await self._registered.append([more.model_dump_json().encode()])
        self._take(more)
        return Approved(signs=sorted(self._signs), templates=self._texts)

    def render(
        self, signs: Sequence[str], template: str, params: Sequence[Mapping[str, str]]
    ) -> list[str]:
        """Make the texts that phones receive, or refuse all of them as the provider does.

        They are checked and made variable by variable: a call has a hundred texts of one template.
        """
        if not self._signs.issuperset(signs):
            raise SmsRefused("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
        if template not in self._texts:
            raise SmsRefused("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        # Words and names of variables by turns.
        first, *pieces = self._pieces[template]
        columns: list[Iterable[str]] = [repeat("【"), signs, repeat(f"】{first}")]
        for name, words in zip(pieces[::2], pieces[1::2], strict=True):
            columns += [_values(name, params), repeat(words)]
        return list(map("".join, zip(*columns, strict=False)))

    def _take(self, approved: Approved) -> None:
        self._signs.update(approved.signs)
        self._texts.update(approved.templates)
        for code, text in approved.templates.items():
            self._pieces[code] = VARIABLE.split(text)


def _values(name: str, params: Sequence[Mapping[str, str]]) -> list[str]:
    """Give one variable's values, each within its bounds."""
    values = [one.get(name, "") for one in params]
    if not all(values):
        raise SmsRefused("isv.TEMPLATE_MISSING_PARAMETERS", f"模板变量{name}缺失")
    if max(map(len, values)) > VARIABLE_CHARS_MAX:
        raise SmsRefused("isv.PARAM_LENGTH_LIMIT", f"模板变量{name}超过长度限制")
    together = "\n".join(values).lower()
    if any(link in together for link in LINKS):
        raise SmsRefused("isv.PARAM_NOT_SUPPORT_URL", f"模板变量{name}不支持链接")
    return values


def parts(content: str) -> int:
    """Count the parts a text is sent and charged in; every character counts one."""
    if len(content) <= ONE_PART_CHARS:
        return 1
    return -(-len(content) // LONG_PART_CHARS)


def read_params(text: str) -> dict[str, str]:
    """Read TemplateParam: a JSON object of strings, written into a string."""
    try:
        return _PARAMS.decode(text) if text else {}
    except msgspec.DecodeError as unreadable:
        raise SmsRefused("isv.INVALID_JSON_PARAM", "JSON参数不合法") from unreadable
