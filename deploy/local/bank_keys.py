"""The keys of the bank's API door for development: made once, then told to both sides.

Under the keys folder, in `bank/`: one line of hex each, mode 0600. An installation with a real bank
has its own, agreed with that bank.
"""

import secrets
from pathlib import Path
from typing import Final

from gmalg import SM2

from services.common.kit.keys import write_new

UID: Final = "SANDBOX001"
SM4_KEY: Final = "cmb.sm4"
CLIENT: Final = "cmb.client.sm2"
BANK: Final = "cmb.bank.sm2"
_SM4_BYTES: Final = 16
_PRIVATE_BYTES: Final = 32


def ensure_bank_keys(keys_dir: Path) -> None:
    """Make what is missing."""
    folder = keys_dir / "bank"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / SM4_KEY, secrets.token_hex(_SM4_BYTES))
    for pair in (CLIENT, BANK):
        private_key, _ = SM2().generate_keypair()
        write_new(folder / pair, private_key.rjust(_PRIVATE_BYTES, b"\0").hex())
        kept = bytes.fromhex((folder / pair).read_text(encoding="ascii"))
        # Worked out anew each time, so that the two halves always belong together.
        write_new(folder / f"{pair}.pub", SM2().generate_pk(kept).hex())


def bank_key_env(keys_dir: Path) -> dict[str, str]:
    """Give the environment variables of both sides; they name files and hold no keys."""
    folder = keys_dir / "bank"
    return {
        "PAYMENTS_CMB_UID": UID,
        "PAYMENTS_CMB_SM4_KEY_FILE": str(folder / SM4_KEY),
        "PAYMENTS_CMB_PRIVATE_KEY_FILE": str(folder / CLIENT),
        "PAYMENTS_CMB_BANK_PUBLIC_KEY_FILE": str(folder / f"{BANK}.pub"),
        "SANDBOX_CMB_SM4_KEY_FILE": str(folder / SM4_KEY),
        "SANDBOX_CMB_BANK_PRIVATE_KEY_FILE": str(folder / BANK),
        "SANDBOX_CMB_CLIENT_PUBLIC_KEY_FILE": str(folder / f"{CLIENT}.pub"),
    }
