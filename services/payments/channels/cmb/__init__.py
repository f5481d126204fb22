"""招商银行 云直联: pays in parts over an API that is signed with SM2 and sealed with SM4."""
