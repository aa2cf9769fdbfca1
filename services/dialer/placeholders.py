"""What the agent speaks with: a placeholder becomes the recipient's own word, or nothing.

No placeholder is an error: neither one that nobody fills nor a variable that nobody mentions.
"""

import re
from collections.abc import Mapping
from typing import Final

from contracts.sealed import RecipientSecrets

PLACEHOLDER: Final = re.compile(r"\{\{([^{}]*+)\}\}")
"""Possessive: what has been read is not read again in another way, however long it is."""
PREFIXES: Final = ("request_data.", "dynamic_vars.")


def spoken_with(secrets: RecipientSecrets) -> dict[str, str]:
    """A recipient's variables; a column of the list wins over what is added here."""
    added = {
        "name": secrets.name,
        "language": secrets.language,
        "first_message": secrets.first_message,
    }
    variables = {key: text for key, text in added.items() if text} | secrets.variables
    known = {"phone_number": secrets.phone_number} | variables
    if "first_message" in variables:
        variables["first_message"] = filled(variables["first_message"], known)
    return variables


def filled(text: str, variables: Mapping[str, str]) -> str:
    """`{{key}}` by the variable of that name; what a variable holds is not read again."""
    folded = {key.casefold(): value for key, value in variables.items()}

    def word(found: re.Match[str]) -> str:
        key = found[1].strip()
        for prefix in PREFIXES:
            key = key.removeprefix(prefix)
        return variables.get(key, folded.get(key.casefold(), ""))

    return PLACEHOLDER.sub(word, text)
