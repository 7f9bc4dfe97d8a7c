"""Finds spellings of one name, which people and programs confuse: other case, spaces or Unicode normal form.

>>> folded("TEA-01 @BER1") == folded("tea-01@ber1"), folded("TEA-01@BER1") == folded("TEA-10@BER1")
(True, False)
"""

import unicodedata


def folded(name: str) -> str:
    """Reduce a name to what all its spellings share: no case, no spaces, one form of each letter.

    It is Unicode's caseless matching of compatibility forms: normalised, folded, and normalised again, since folding
    takes letters apart.

    >>> folded("Grüner Tee"), folded("GRU\u0308NER\u00a0TEE"), folded("\uff34\uff25\uff21\uff0d\uff10\uff11")
    ('grünertee', 'grünertee', 'tea-01')
    """
    if name.isascii():
        return "".join(name.lower().split())
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(plain.split())
