"""What was said on a call: a pure function of the call, so that it can be told twice alike."""

import io
import wave
from collections.abc import Mapping
from functools import cache

from pydantic import JsonValue

Turn = dict[str, str]
NO_TOPICS = frozenset({"name", "first_name", "language", "first_message"})


def transcript(variables: Mapping[str, JsonValue], answered_by: str) -> list[Turn]:
    name = str(variables.get("name") or variables.get("first_name") or "there")
    about = _about(variables)
    greeting = f"Hello {name}, I am calling about {about}. Is this a good moment?"
    if answered_by == "machine":
        return [
            _turn("user", "Nobody can take your call. Please leave a message after the tone."),
            _turn("agent", f"Hello {name}, I am calling about {about}. We will try again."),
        ]
    return [
        _turn("agent", str(variables.get("first_message") or greeting)),
        _turn("user", "Yes, go ahead."),
        _turn("agent", "Can you confirm that this is right?"),
        _turn("user", "Yes, that is right. Thank you."),
    ]


def collected(variables: Mapping[str, JsonValue], answered_by: str) -> dict[str, JsonValue]:
    """What the agent took down: nothing from a machine."""
    if answered_by == "machine":
        return {}
    return {"confirmed": True, **{key: variables[key] for key in _topics(variables)}}


@cache
def recording() -> bytes:
    """A second of silence that any player opens."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16000))
    return sound.getvalue()


def _topics(variables: Mapping[str, JsonValue]) -> list[str]:
    return [key for key in variables if key not in NO_TOPICS][:2]


def _about(variables: Mapping[str, JsonValue]) -> str:
    said = [f"{key.replace('_', ' ')} {variables[key]}" for key in _topics(variables)]
    return " and ".join(said) or "your account"


def _turn(role: str, text: str) -> Turn:
    return {"role": role, "text": text}
