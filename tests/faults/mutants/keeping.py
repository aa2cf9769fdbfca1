"""Deletes that are wrong in one way each, by a trigger: a search after them must convict them."""

Statements = tuple[str, ...]

FUNCTION = "CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS"
KEEP = "EXECUTE FUNCTION public.keep()"
ENDS = "OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL"
AWAY = "DROP FUNCTION public.keep() CASCADE"


def keeps_the_person(model: str) -> Statements:
    """Projections say that the batch is gone, and keep who was in it."""
    trigger = f"CREATE TRIGGER keep BEFORE DELETE ON {model}.recipients FOR EACH ROW {KEEP}"
    return f"{FUNCTION} 'BEGIN RETURN NULL; END'", trigger


def keeps_the_key() -> Statements:
    """The vault says that the key is destroyed, and has it under another name."""
    copies = "INSERT INTO keys (scope, wrapped) VALUES (''kept'', OLD.wrapped)"
    trigger = f"CREATE TRIGGER keep BEFORE UPDATE ON keys FOR EACH ROW WHEN ({ENDS}) {KEEP}"
    return f"{FUNCTION} 'BEGIN {copies}; RETURN NEW; END'", trigger


def lets_the_person_go(model: str) -> Statements:
    return AWAY, f"DELETE FROM {model}.recipients"  # noqa: S608 - a schema's name


def lets_the_key_go() -> Statements:
    return AWAY, "DELETE FROM keys WHERE scope = 'kept'"
