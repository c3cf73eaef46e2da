"""What verbs print does not obey what a sender wrote."""

from services.cli.console import harmless


def test_what_a_terminal_would_obey_is_shown_as_an_escape():
    assert harmless("\x1b[31mred\x1b]0;pwned\x07") == "\\x1b[31mred\\x1b]0;pwned\\x07"
    assert harmless("checkout\u202etuokcehc") == "checkout\\u202etuokcehc"
    assert harmless("Ünïcode, 日本語 and\ttabs stay") == "Ünïcode, 日本語 and\ttabs stay"
