"""What a header looks like is only ever suggested: nobody is called on the strength of a guess."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


LOOKS: Final[dict[str, frozenset[str]]] = {
    "phone_number": _set(
        "mobile mobilephone mobilenumber mobilephonenumber mobil mobilnummer mobiltelefon movil"
        " cell cellphone cellnumber cellphonenumber cellular celular cellulare gsm msisdn"
        " tel telno telnr telephone telephonenumber telefon telefonnummer telefono telefone"
        " telefoonnummer telefonnr phoneno phonenr phones phone1 contactnumber contactphone"
        " handy handynummer rufnummer portable numerodetelephone numerotelephone numero nummer"
        " number dial callto whatsapp e164"
    ),
    "name": _set(
        "fullname customername contactname clientname recipientname displayname contact"
        " vollstandigername nomcomplet nombre nombrecompleto nomecompleto nom nome"
    ),
    "ignore_e164_validation": _set("ignorevalidation skipvalidation ignoree164 skipe164validation"),
    "setting:not_before": _set("notbefore callafter callat calltime starttime startat startsat"),
    "setting:timezone": _set(
        "timezone timezonename tz zone zeitzone fuseauhoraire zonahoraria fusoorario"
    ),
    "setting:from_number": _set(
        "fromnumber from callerid callernumber callerphonenumber outboundnumber"
    ),
    "setting:language": _set("language lang locale sprache langue idioma lingua"),
    "setting:first_message": _set("firstmessage greeting openingmessage openingline firstsentence"),
    "setting:webhook_url": _set("webhook webhookurl callbackurl"),
}
PHONE_WORDS: Final = _set(
    "phone mobile cell tel telephone telefon telefono telefone handy mobil movil celular"
)
"""What a longer header about a number has in it, as `Customer phone` does."""
UNLIKE: Final = _set("type kind id carrier country code model os verified consent")
"""What a header about the telephone has in it that holds no number."""


def likeliest(word: str, headers: Sequence[str]) -> str | None:
    """The header that looks most like what `word` stands for; of several alike, the first."""
    exact = (header for header in headers if "".join(_words(header)) in LOOKS[word])
    loose = (header for header in headers if word == "phone_number" and _tells_a_phone(header))
    return next(exact, None) or next(loose, None)


def _tells_a_phone(header: str) -> bool:
    words = set(_words(header))
    return bool(words & PHONE_WORDS) and not words & UNLIKE


def _words(header: str) -> list[str]:
    """In small letters without accents."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    letters = unicodedata.normalize("NFKD", apart.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)
