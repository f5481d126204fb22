"""Money that does not arrive: refused cards mended in two ways, and a transfer given back later."""

from collections import defaultdict
from decimal import Decimal

from deploy.demo import show, words
from deploy.demo.actors import Cast, Json, MemberApp, Refused
from deploy.demo.books import Check
from deploy.demo.patience import until
from deploy.demo.people import Person, card
from deploy.demo.quiet import Quiet

ACCOUNT_CLOSED = "0002"  # the bank's code
WRONG_TAIL = "0000"
_NEW_CARD = 8_000_101
_PAID, _TO_MEMBER, _TO_OFFICER = (
    "SMS_PAYOUT_PAID",
    "SMS_PAYOUT_RETURNED_MEMBER",
    "SMS_PAYOUT_RETURNED_OFFICER",
)


class FailureScenes:
    """Plays them; what is found is added to the story's checks."""

    def __init__(self, cast: Cast, told: Json, checks: list[Check], quiet: Quiet) -> None:
        self.cast = cast
        self.told = told
        self.checks = checks
        self.quiet = quiet
        self.phones: dict[str, str] = {}  # whose the cards are that were not in a roster
        self._admin = quiet.admin
        self._officer = cast.staff("filing_officer")
        self._other_side = cast.other_side()

    async def refusals_are_told(self) -> None:
        show.heading("Two payouts refused, told to officer and member", "两笔退回")
        listed = 0
        for one in self.told["refused_cards"]:
            for payout in await self._officer.refused_payouts(one["unit"]):
                listed += 1
                _show_listed(payout)
        texts = await self._other_side.texts()
        refused = [one for one in texts if one["template"].startswith("SMS_PAYOUT_REFUSED")]
        for text in refused:
            show.text(text)
        due = len(self.told["refused_cards"])
        self.checks += [
            Check("经办人处待更正 · refused payouts at the officers' lists", due, listed),
            Check("退回短信 · texts about them", 2 * due, len(refused)),
        ]

    async def cards_are_corrected(self) -> None:
        show.heading(
            "One card mended by the officer, one by the member", "经办人更正一张,会员凭短信更正一张"
        )
        before = len(await self._other_side.texts())
        by_officer, by_member = self.told["refused_cards"]
        member_id = await self._officer.search(by_officer["id_number"])
        await self._officer.correct_card(member_id, by_officer["right_card"])
        right = show.account(by_officer["right_card"])
        show.line(f"经办人 {by_officer['unit']}:{show.name(by_officer['name'])} → {right}")
        await self._mended(by_member)
        for one in (by_officer, by_member):
            self.phones[one["right_card"]] = one["phone"]

        async def paid() -> bool | None:
            here = await self._admin.books()
            return "refused" not in here["payments"]["payouts_by_state"] or None

        await until("the corrected payouts", paid)
        await self.quiet.reached()
        for text in (await self._other_side.texts())[before:]:
            show.text(text)
        left = await self._officer.refused_payouts()
        self.checks.append(Check("更正后无待处理 · no refused payout is left", [], left))

    async def _mended(self, one: Json) -> None:
        """Let the member mend the card by the text's code, without signing in."""
        texts = await self._other_side.texts()
        code = next(
            text["params"]["mend"]
            for text in texts
            if text["phone"] == one["phone"] and text["params"].get("mend")
        )
        app, tail = self.cast.member(), one["id_number"][-4:]
        refused = [await _refusal_of(app, code, WRONG_TAIL)]
        show.line("会员小程序,不登录,输入短信里的更正码和身份证号后四位:")
        show.line(f"输错后四位 → {refused[0]}")
        seen = await app.look(code, tail)
        reason = words.CODES.get(seen["reason"], seen["reason"])
        show.line(
            f"输对 → {seen['name']} {seen['amount']} 元未到账,卡尾号 {seen['card_tail']},{reason}"
        )
        new_tail = await app.mend(code, tail, one["right_card"])
        show.line(f"填写新卡号 → 新卡尾号 {new_tail},再次代发")
        refused.append(await _refusal_of(app, code, tail))
        show.line(f"同一更正码再用 → {refused[1]}")
        self.checks.append(
            Check(
                "会员凭更正码改卡,不用登录 · a member mends the card by the code, without login",
                (one["card"][-4:], one["right_card"][-4:], [words.coded("MEND_CODE_UNKNOWN")] * 2),
                (seen["card_tail"], new_tail, refused),
            )
        )

    async def transfer_comes_back(self, person: Person, unit: str, amount: str) -> None:
        """Give one booked transfer back: the member is told once more, and paid once more."""
        show.heading("A transfer comes back after the text said it was paid", "短信之后,银行退票")
        app = await signed_in(self.cast, person)
        await self._bank_gives_back(person, amount)
        self.quiet.returned += 1
        returned = await self._payout(app, "returned")
        await self.quiet.reached()
        listed = await self._officer.refused_payouts(unit)
        for payout in listed:
            _show_listed(payout)
        new_card = card(_NEW_CARD)
        self.phones[new_card] = person.phone
        member_id = await self._officer.search(person.id_number)
        await self._officer.correct_card(member_id, new_card)
        show.line(f"经办人更正银行卡 → {show.account(new_card)},再次代发")
        paid = await self._payout(app, "paid")
        await self.quiet.reached()
        stations = [one["what"] for one in (await app.claim(paid["claim_id"]))["timeline"]]
        show.paragraph("经过 " + " → ".join(words.station(one) for one in stations), "  ")
        self.checks += [
            Check(
                "退票:待更正一笔 · return: open again, at the officer's list",
                (amount, [(amount, "ACCOUNT_CLOSED")]),
                (returned["amount"], [(one["amount"], one["reason"]) for one in listed]),
            ),
            Check(
                "退票:到账、退票、再到账 · return: paid, returned, paid",
                ["paid", "returned", "paid"],
                [one for one in stations if one in ("paid", "returned", "refused")],
            ),
            await self._texts_about(person, amount),
            await self._booked_once_more(person, new_card, amount),
        ]

    async def _bank_gives_back(self, person: Person, amount: str) -> None:
        """Close the card's account at the bank, and give its one transfer back."""
        book = await self._other_side.bank_book()
        [line] = [one for one in book if one["account"] == person.card]
        await self._other_side.close_account(person.card, person.name)
        await self._other_side.give_back(line["instruction_id"], ACCOUNT_CLOSED)
        show.line(f"银行:{show.account(person.card)} 已销户,退回 {line['amount']} 元")
        self.checks.append(
            Check("退票:退的是这一笔 · return: of the payout", amount, line["amount"])
        )

    async def _payout(self, app: MemberApp, status: str) -> Json:
        async def found() -> Json | None:
            [payout] = await app.payouts()
            return payout if payout["status"] == status else None

        return await until(f"the payout {status}", found)

    async def _texts_about(self, person: Person, amount: str) -> Check:
        """Hold the texts about it against what is due: three to the member, one to the officer."""
        texts = [
            text
            for text in await self._other_side.texts()
            if (text["template"] in (_PAID, _TO_MEMBER) and text["phone"] == person.phone)
            or text["template"] == _TO_OFFICER
        ]
        for text in texts:
            show.text(text)
        return Check(
            "退票:会员三条短信,经办人一条 · return: three texts to the member, one to the officer",
            [(_PAID, amount)] * 2 + [(_TO_MEMBER, amount), (_TO_OFFICER, amount)],
            sorted((text["template"], text["params"]["amount"]) for text in texts),
        )

    async def _booked_once_more(self, person: Person, new_card: str, amount: str) -> Check:
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in await self._other_side.bank_book():
            if line["account"] in (person.card, new_card):
                sums[line["account"], line["status"]] += Decimal(line["amount"])
        return Check(
            "退票:银行付出、退回、再付出各一次 · return: booked, returned, booked once each",
            {(person.card, "booked"), (person.card, "returned"), (new_card, "booked")},
            {key for key, total in sums.items() if total == Decimal(amount)},
        )


async def signed_in(cast: Cast, member: Person) -> MemberApp:
    app, other_side = cast.member(), cast.other_side()
    await app.session.ask_code(member.phone)
    code = await until("the text with the login code", lambda: other_side.login_code(member.phone))
    await app.session.by_code(member.phone, code)
    return app


async def _refusal_of(app: MemberApp, code: str, id_tail: str) -> str:
    try:
        await app.look(code, id_tail)
    except Refused as refused:
        return words.coded(refused.problem["code"])
    return ""


def _show_listed(payout: Json) -> None:
    show.line(
        f"{payout['unit_code']} 待更正:{payout['name']} 尾号{payout['card_tail']}"
        f" {payout['amount']} 元 {words.coded(payout['reason'])}"
    )
