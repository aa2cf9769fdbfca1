"""What stops a start reaches the person as one line that says what to do, never as a stack."""


class CannotStart(Exception):  # noqa: N818 - it is a condition said aloud, not a fault in the code
    """Its message is the line to print."""
