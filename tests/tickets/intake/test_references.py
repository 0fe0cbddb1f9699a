"""A reference is believed only if we made it, for this ticket, this address and this purpose."""

# ruff: noqa: E501 (tables of cases read best one to a line)

import pytest

from tickets.intake import references

KEYS = (b"the newest key of the desk ....",)
OLD = (b"an older key, still believed ...",)


def made(**changes):
    said = {"ticket": 4790, "address": "carl@northwind.example", "keys": KEYS} | changes
    return references.reply_address("desk@desk.example", **said)


def test_a_reply_address_says_its_ticket_to_whom_it_was_given():
    address = made()
    assert address.startswith("desk+t4790.")
    found = references.read_reply_address(address.upper())
    assert found.ticket == 4790
    assert found.is_for("Carl@Northwind.example", KEYS)


@pytest.mark.parametrize("address", ["rhea@rival.example", "", "carl@northwind.example.evil"])
def test_a_reply_address_is_good_for_nobody_else(address):
    assert not references.read_reply_address(made()).is_for(address, KEYS)


def test_another_ticket_another_key_another_token_is_not_believed():
    address = made()
    other = references.read_reply_address(address.replace("t4790", "t4791"))
    assert not other.is_for("carl@northwind.example", KEYS)
    found = references.read_reply_address(address)
    assert not found.is_for("carl@northwind.example", OLD)
    assert found.is_for("carl@northwind.example", (*OLD, *KEYS))
    assert not found._replace(token="a" * 26).is_for("carl@northwind.example", KEYS)
    assert not found._replace(token="").is_for("carl@northwind.example", KEYS)


@pytest.mark.parametrize("text", ["", "desk@desk.example", "desk+t4790@desk.example", "desk+t0." + "a" * 26 + "@d.example", "[#4790]", "desk+t1.é@d.example"])  # fmt: skip
def test_what_is_no_reference_is_none(text):
    assert references.read_reply_address(text) is None


def test_a_message_id_of_ours_names_its_ticket():
    value = references.message_id(ticket=12, serial="8f2c", domain="desk.example", keys=KEYS)
    assert value == references.message_id(ticket=12, serial="8f2c", domain="desk.example", keys=KEYS)
    assert references.read_message_id(value, keys=KEYS) == 12
    assert references.read_message_id(value.strip("<>").upper(), keys=(*OLD, *KEYS)) == 12
    assert references.read_message_id(value.replace("t12.", "t13."), keys=KEYS) is None
    assert references.read_message_id(value.replace("8f2c", "8f2d"), keys=KEYS) is None
    assert references.read_message_id(value, keys=OLD) is None
    assert references.read_message_id("<t12.8f2c.guess@desk.example>", keys=KEYS) is None
    assert references.read_message_id("", keys=KEYS) is None


def test_a_token_for_one_purpose_is_worthless_for_another():
    token = references.read_reply_address(made()).token
    assert references.read_message_id(f"<t4790.a.{token}@desk.example>", keys=KEYS) is None
    assert not references.is_marked("<t4790.a@desk.example>", token, keys=KEYS)


def test_our_mark_belongs_to_one_message():
    value = references.mark("<a@desk.example>", keys=KEYS)
    assert references.is_marked("a@desk.example", f" {value.upper()} ", keys=KEYS)
    assert not references.is_marked("<b@desk.example>", value, keys=KEYS)
    assert not references.is_marked("<a@desk.example>", "é" * 26, keys=KEYS)


@pytest.mark.parametrize("value", ["a\r\nBcc: all@x.example", "a\nb", "a\0b", "a\x1bb", "a\u2028b", "\ud800"])
def test_a_header_takes_no_line_break(value):
    with pytest.raises(ValueError, match="line breaks"):
        references.header_value(value)
    with pytest.raises(ValueError, match="line breaks"):
        references.mark(value, keys=KEYS)


def test_bad_input_is_told_how_to_mend_it():
    with pytest.raises(ValueError, match="too long"):
        references.reply_address("d" * 50 + "@desk.example", ticket=1, address="a@b.example", keys=KEYS)
    with pytest.raises(ValueError, match="no address"):
        references.reply_address("desk", ticket=1, address="a@b.example", keys=KEYS)
    with pytest.raises(ValueError, match="1 or more"):
        made(ticket=0)
    with pytest.raises(ValueError, match="too short"):
        made(keys=(b"short",))
    with pytest.raises(ValueError, match="serial"):
        references.message_id(ticket=1, serial="A B", domain="d.example", keys=KEYS)
