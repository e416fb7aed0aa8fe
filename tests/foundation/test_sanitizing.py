from foundation.text import sanitize_for_terminal


def test_letters_keep_what_joins_them() -> None:
    assert (
        sanitize_for_terminal("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627")
        == "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    )


def test_nothing_is_left_that_moves_the_cursor() -> None:
    assert sanitize_for_terminal("a\x1b[2J\x9b2J\u202e\r\nb") == "a [2J 2J   b"


def test_bytes_of_a_file_name_that_are_no_text_are_left_to_the_output() -> None:
    assert sanitize_for_terminal(b"caf\xe9.jpg".decode("utf-8", "surrogateescape")) == "caf\udce9.jpg"
