"""Odd values of parameters."""

from urllib.parse import quote

import json


MARK = "<script>alert('"

#: Values as they stand in an address or a form.
TEXTS = (
    *("%FF", "%ED%A0%80", "a%80"),
    *(
        quote(MARK),
        quote(f"'\">{MARK}"),
        "%00",
        "a%0D%0AX-Injected:+1",
        "%E2%80%AE",
        "%F0%9F%92%A5",
    ),
    *("", "+", "0", "-1", "1e999", "NaN", "%C2%B2", "%D9%A3", "9" * 30, "9" * 5000),
    *("2026-02-31", "2026-13", "0000-00-00", "9999-12-31", "0001-01-01T00:00Z"),
    *("2026-05-03T25:00", "9999-12-31T23:59:59-14:00", "x" * 3000, "%24%7Bx%7D", "..%2F..%2F"),
)

#: Values as they stand in JSON.
JSONS = (
    *(
        '"\\ud800"',
        '"\\udfff@example.org"',
        '"a\\udc00b"',
        '"\\u0000"',
        '"a\\r\\nX-Injected: 1"',
    ),
    *(
        json.dumps(MARK),
        json.dumps(f"'\">{MARK}"),
        '"\\u202e"',
        '"\\ud83d\\udca5"',
        '""',
        '" "',
    ),
    *("0", "-1", "1.5", "1e400", "NaN", "-Infinity", "9" * 19, "9" * 30, "true", "null"),
    *(
        "[]",
        "{}",
        '[[["a"]]]',
        '{"token": []}',
        '{"token": {"a": 1}}',
        "[1, null]",
        '["\\ud800"]',
    ),
    *('"2026-02-31"', '"9999-12-31"', '"0001-01-01T00:00Z"', f'"{"x" * 3000}"', '"${x}"'),
)
