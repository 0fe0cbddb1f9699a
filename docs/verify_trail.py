#!/usr/bin/env python3
"""Checks an exported trail without the product: python3 verify_trail.py TRAIL.jsonl [--key BASE64] [--note FILE ...]

One file, the standard library only. It computes every leaf and every link of the chain again, compares each signed
checkpoint with the head that the chain had at that length, and says what does not fit. Exit status 0: whole; 1: not.

`--key` is the public key that the installation gave you by hand; without it signatures are not checked.
`--note` is a checkpoint that you kept yourself; it is what makes the proof independent of whoever made the export.
"""

import argparse
import base64
import hashlib
import json
import sys

GENESIS = hashlib.sha256(b"csp trail, version 1").digest()

# ---------------------------------------------------------------- Ed25519 verification, after RFC 8032, section 5.1

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _x(y, sign):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * ROOT % P
    if (x * x - xx) % P:
        return None
    if x == 0 and sign:
        return None
    return P - x if x % 2 != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x(BASE_Y, 0), BASE_Y, 1, _x(BASE_Y, 0) * BASE_Y % P)


def _add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _point(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def _signed(public, text, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---------------------------------------------------------------- the trail


def leaf_of(line):
    parts = [
        line["id"].to_bytes(8, "big", signed=True),
        line["recorded_at"].to_bytes(8, "big", signed=True),
        line["at"].to_bytes(8, "big", signed=True),
        *(line[name].encode() for name in ("actor", "act", "subject")),
        line["version"].to_bytes(4, "big", signed=True),
        *(line[name].encode() for name in ("context", "source", "facts")),
        bytes.fromhex(line["commitment"]),
    ]
    return hashlib.sha256(b"\x00" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def check_note(note, heads, key, name):
    try:
        text, _, last = note.rpartition("\n\n")
        text += "\n"
        _origin, size, head, _made = text.splitlines()
        dash, signer, signature = last.strip().split(" ")
        raw, sealed = base64.b64decode(head, validate=True), base64.b64decode(signature, validate=True)
        spelled = f"{text}\n{dash} {signer} {base64.b64encode(sealed).decode()}\n"
        if dash != "—" or base64.b64encode(raw).decode() != head or spelled != note:
            raise ValueError
    except ValueError:
        return f"{name}: is not a signed note"
    if key is not None and not _signed(key, text.encode(), sealed):
        return f"{name}: its signature is not that of the key"
    if int(size) in heads and heads[int(size)] != raw:
        return f"{name}: the chain was another one at seal {size}"
    if int(size) not in heads:
        return f"{name}: seal {size} is not in this export"
    return None


def check(lines, key=None, notes=()):
    """Yield a sentence for each thing that does not fit."""
    head = json.loads(next(lines))
    if head.get("format") != "csp trail 1":
        yield "this is not an exported trail of format 1"
        return
    before, expected = bytes.fromhex(head["before"]), head["first"]
    if expected == 1 and before != GENESIS:
        yield "the export does not begin where every trail begins"
    heads, versions, kept = {}, {}, []
    for text in lines:
        line = json.loads(text)
        if "checkpoint" in line:
            kept.append((f"checkpoint in the export {len(kept) + 1}", line["checkpoint"]))
            continue
        number = line["number"]
        if number != expected:
            yield f"seal {expected}: is missing, {number} follows"
        after = hashlib.sha256(b"\x01" + number.to_bytes(8, "big", signed=True) + before + leaf_of(line)).digest()
        if after.hex() != line["hash"]:
            yield f"seal {number}, entry {line['id']}: was changed, or does not follow from the one before it"
        if "salt" in line and (line["salt"] or line["personal"]):
            committed = hashlib.sha256(bytes.fromhex(line["salt"]) + line["personal"].encode()).hexdigest()
            if committed != line["commitment"]:
                yield f"seal {number}, entry {line['id']}: its personal text is not the one recorded"
        if "address" in line:
            located = hashlib.sha256(bytes.fromhex(line["address_salt"]) + line["address"].encode()).hexdigest()
            if json.loads(line["facts"]).get("network") != located:
                yield f"seal {number}, entry {line['id']}: its network address is not the one recorded"
        versions.setdefault(line["subject"], set()).add(line["version"])
        before = bytes.fromhex(line["hash"])
        heads[number] = before
        expected = number + 1
    if expected != head["last"] + 1:
        yield f"the export ends at seal {expected - 1} and says that it ends at {head['last']}"
    if head["first"] == 1:
        for subject, numbers in versions.items():
            missing = max(numbers) - len(numbers)
            if missing:
                yield f"{subject}: {missing} of its {max(numbers)} entries are missing (or not sealed yet)"
    for name, note in [*kept, *notes]:
        problem = check_note(note, heads, key, name)
        if problem:
            yield problem


def main():
    parser = argparse.ArgumentParser(description="Check an exported trail.")
    parser.add_argument("export")
    parser.add_argument("--key", help="the installation's public key, in base64")
    parser.add_argument("--note", action="append", default=[], help="a checkpoint that you kept")
    asked = parser.parse_args()
    notes = []
    for path in asked.note:
        with open(path, encoding="utf-8") as file:
            notes.append((path, file.read()))
    with open(asked.export, encoding="utf-8") as lines:
        problems = list(check(lines, base64.b64decode(asked.key) if asked.key else None, notes))
    for problem in problems:
        print(problem)
    print("Not whole." if problems else "Whole: nothing was changed, removed, added or reordered.")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
