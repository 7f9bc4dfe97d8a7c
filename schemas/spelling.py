"""Spellings of names that people and programs take for one: they differ by case, space or Unicode normal form only.

>>> folded("TEA-01 @BER1") == folded("tea-01@ber1"), folded("TEA-01@BER1") == folded("TEA-10@BER1")
(True, False)
"""

import unicodedata


def folded(name: str) -> str:
    """What all spellings of a name have in common: without case, space and ways to write the same letter.

    It is Unicode's caseless matching of compatibility forms: normalised, folded, and normalised again, since folding
    takes letters apart.

    >>> folded("Grüner Tee"), folded("GRU\u0308NER\u00a0TEE"), folded("\uff34\uff25\uff21\uff0d\uff10\uff11")
    ('grünertee', 'grünertee', 'tea-01')
    """
    if name.isascii():
        return "".join(name.lower().split())
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(plain.split())
